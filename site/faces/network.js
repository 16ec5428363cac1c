/* A decoder or an encoder of the course, as tools/web_faces.py has written it: dense layers, convolutions and transposed convolutions. */
"use strict";
window.gdl = window.gdl || {};
gdl.written = {}; // the networks whose files are loaded, by name

/** What a file of weights calls. */
gdl.add = (name, network) => { gdl.written[name] = network; };

/** The network of a name, whose file weights/NAME.js is loaded if it is not yet. -> Promise of a gdl.Network */
gdl.network = async function (name) {
    if (!gdl.written[name]) {
        await new Promise((resolve, reject) => {
            const script = Object.assign(document.createElement("script"), {src: `weights/${name}.js`, onload: resolve});
            script.onerror = () => { script.remove(); reject(new Error(`weights/${name}.js could not be loaded.`)); };
            document.head.append(script);
        });
    }
    const written = gdl.written[name];
    return written.network ??= new gdl.Network(written);
};

gdl.Network = class {
    constructor(written) {
        this.written = written;
        const rows = gdl.Network.rows(written);
        const most = numbers => Math.max(...written.layers.map(numbers));
        const a = most((layer, i) => rows[i] * layer.inputs), c = most((layer, i) => rows[i] * layer.columns);
        const halves = gdl.halves(written.halves), singles = gdl.singles(written.singles);
        const {memory, product, kind} = gdl.matrices(a + c + halves.length);
        Object.assign(this, {memory, product, kind, a: 0, c: a, scratch: [new Float32Array(c), new Float32Array(c)]});
        memory.set(halves, a + c);
        let kernel = a + c, number = 0;
        this.layers = written.layers.map((layer, i) => {
            const own = {...layer, rows: rows[i], place: kernel};
            own.scale = singles.subarray(number, number += layer.channels);
            own.shift = singles.subarray(number, number += layer.channels);
            kernel += layer.inputs * layer.columns;
            return own;
        });
    }

    /** Rows of each layer's matrix product: one for each pixel of its smaller map, at least 4, which the product takes at a time. */
    static rows(written) {
        const {layers, image_size} = written, encodes = layers[0].kind === "convolution";
        const size = i => encodes ? image_size / 2 ** (i + 1) : image_size / 2 ** (layers.length - i);
        return layers.map(({kind}, i) => kind === "dense" ? 4 : size(i) ** 2);
    }

    /** The output of the last layer, a Float32Array that the next call overwrites. x: numbers of the first layer, pixels row after row */
    run(x) {
        const {memory} = this;
        this.layers.forEach((layer, i) => {
            const y = this.scratch[i % 2], size = Math.sqrt(layer.rows);
            if (layer.kind === "convolution") gdl.gather(x, size, layer.kernel, memory);
            else memory.set(x.subarray(0, layer.kind === "dense" ? layer.inputs : layer.rows * layer.inputs), this.a);
            this.product(this.a, layer.place, this.c, layer.rows, layer.inputs, layer.columns);
            let values = memory.subarray(this.c), length = layer.kind === "dense" ? layer.columns : layer.rows * layer.columns;
            if (layer.kind === "deconvolution") {
                length = 4 * layer.rows * layer.channels;
                gdl.scatter(values, size, layer.kernel, layer.channels, y, length);
                values = y;
            }
            gdl.activate(values, y, length, layer);
            x = y.subarray(0, length);
        });
        return x;
    }

    /** The image of a code, as bytes with opacity for a canvas. (z_dim,) -> Uint8ClampedArray of size * size * 4 */
    image(z) {
        const {image_size: size, low, high} = this.written, pixels = this.run(Float32Array.from(z));
        const bytes = new Uint8ClampedArray(4 * size * size).fill(255); // it clips, and rounds as numpy.rint does
        for (let i = 0, place = 0; i < size * size; i++, place++) {
            for (let colour = 0; colour < 3; colour++) bytes[place++] = (pixels[3 * i + colour] - low) * (255 / (high - low));
        }
        return bytes;
    }

    /** The code of an image. bytes: size * size * 4, as from a canvas -> Float32Array (z_dim,) */
    code(bytes) {
        const {image_size: size, low, high} = this.written, x = new Float32Array(3 * size * size);
        for (let i = 0; i < x.length; i++) x[i] = low + (high - low) / 255 * bytes[4 * Math.floor(i / 3) + i % 3];
        return this.run(x).slice();
    }
};

/** y = activation(scale x + shift), where scale and shift have one number for each channel. */
gdl.activate = function (x, y, length, {scale, shift, channels, activation}) {
    const slope = activation === "leaky_relu" ? 0.2 : 1;
    for (let start = 0; start < length; start += channels) {
        for (let c = 0; c < channels; c++) {
            const value = x[start + c] * scale[c] + shift[c];
            y[start + c] = value > 0 ? value : slope * value;
        }
    }
    if (activation === "sigmoid") for (let i = 0; i < length; i++) y[i] = 1 / (1 + Math.exp(-y[i]));
    if (activation === "tanh") for (let i = 0; i < length; i++) y[i] = Math.tanh(y[i]);
};

/** The patches of a map that a convolution with stride 2 sees, one row for each output pixel. (2 size, 2 size, channels) -> (size * size, k * k * channels) */
gdl.gather = function (x, size, k, patches) {
    const width = 2 * size, channels = x.length / width ** 2, pad = (k - 2) >> 1;
    let place = 0;
    for (let row = 0; row < size; row++) for (let column = 0; column < size; column++) for (let ky = 0; ky < k; ky++) for (let kx = 0; kx < k; kx++) {
        const y = 2 * row + ky - pad, left = 2 * column + kx - pad, inside = y >= 0 && y < width && left >= 0 && left < width;
        for (let c = 0, from = (y * width + left) * channels; c < channels; c++) patches[place++] = inside ? x[from + c] : 0;
    }
};

/** Each input pixel of a transposed convolution adds a patch to a map of twice the size. (size * size, k * k * channels) -> (2 size, 2 size, channels) */
gdl.scatter = function (patches, size, k, channels, x, length) {
    const width = 2 * size, pad = (k - 2) >> 1;
    x.fill(0, 0, length);
    let place = 0;
    for (let row = 0; row < size; row++) for (let column = 0; column < size; column++) for (let ky = 0; ky < k; ky++) for (let kx = 0; kx < k; kx++) {
        const y = 2 * row + ky - pad, left = 2 * column + kx - pad;
        if (y < 0 || y >= width || left < 0 || left >= width) place += channels;
        else for (let c = 0, to = (y * width + left) * channels; c < channels; c++) x[to + c] += patches[place++];
    }
};

gdl.bytes = function (text) {
    const characters = atob(text), bytes = new Uint8Array(characters.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
    return bytes.buffer;
};

/** float32 numbers from base64. */
gdl.singles = text => new Float32Array(gdl.bytes(text));

/** float16 numbers from base64, as float32. */
gdl.halves = function (text) {
    const table = gdl.halfTable ??= Float32Array.from({length: 65536}, (_, half) => {
        const sign = half >> 15 ? -1 : 1, exponent = half >> 10 & 31, fraction = half & 1023;
        return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * fraction / 1024);
    });
    const codes = new Uint16Array(gdl.bytes(text)), numbers = new Float32Array(codes.length);
    for (let i = 0; i < numbers.length; i++) numbers[i] = table[codes[i]];
    return numbers;
};
