/* A photograph of the reader's own, cropped as gdl.load_photo does. It is read by the browser and goes nowhere else. */
"use strict";
window.gdl = window.gdl || {};
gdl.CELEBA = {width: 178, height: 218, crop: 140, eyes: [[69.5, 111.3], [107.5, 111.2]]}; // as in gdl/data/photo.py
gdl.OVERSAMPLING = 2;

/** The square of CelebA's crop in the middle of a photograph of this size. -> {left, top, side} in pixels */
gdl.centralSquare = function (width, height) {
    const {width: w, height: h, crop} = gdl.CELEBA;
    const side = Math.max(1, Math.round(crop * Math.min(width / w, height / h)));
    return {left: Math.floor((width - side) / 2), top: Math.floor((height - side) / 2), side};
};

/** Where the eyes are if the central square is CelebA's crop: [[x, y], [x, y]] in pixels. */
gdl.usualEyes = function (width, height) {
    const {left, top, side} = gdl.centralSquare(width, height), {width: w, height: h, crop, eyes} = gdl.CELEBA;
    return eyes.map(([x, y]) => [left + (x - (w - crop) / 2) * side / crop, top + (y - (h - crop) / 2) * side / crop]);
};

/** The pixels of the model's image. photo: an ImageBitmap.  eyes: [[x, y], [x, y]], or null for the central square -> size * size * 4 bytes */
gdl.cropPhoto = function (photo, size, eyes = null) {
    const {left, top, side} = eyes ? {left: 0, top: 0, side: gdl.OVERSAMPLING * size} : gdl.centralSquare(photo.width, photo.height);
    const canvas = Object.assign(document.createElement("canvas"), {width: side, height: side});
    const context = canvas.getContext("2d", {willReadFrequently: true});
    context.fillStyle = eyes ? "grey" : "white"; // outside the photograph, or behind transparent pixels
    context.fillRect(0, 0, side, side);
    if (eyes) {
        context.setTransform(...gdl.alignment(eyes, side));
        context.imageSmoothingQuality = "high";
    }
    context.drawImage(photo, -left, -top);
    return gdl.lanczos(context.getImageData(0, 0, side, side).data, side, size);
};

/** The canvas transformation that rotates, scales and shifts a photograph so that its eyes are at CelebA's mean position in a square. */
gdl.alignment = function (eyes, side) {
    const {width, height, crop} = gdl.CELEBA;
    const [[ax, ay], [bx, by]] = [...eyes].sort((one, other) => one[0] - other[0]);
    const [[cx, cy], [dx, dy]] = gdl.CELEBA.eyes.map(([x, y]) => [x - (width - crop) / 2 + 0.5, y - (height - crop) / 2 + 0.5].map(v => v * side / crop));
    const [ex, ey, fx, fy] = [bx - ax, by - ay, dx - cx, dy - cy], length = ex * ex + ey * ey;
    const real = (fx * ex + fy * ey) / length, imaginary = (fy * ex - fx * ey) / length; // (d - c) / (b - a) as complex numbers
    const x = ax + 0.5, y = ay + 0.5; // from the middle of a pixel to its corner, the origin of a canvas
    return [real, imaginary, -imaginary, real, cx - real * x + imaginary * y, cy - imaginary * x - real * y];
};

/** A square image at another size, by the Lanczos filter with antialiasing, as Pillow does it: first the rows, then the columns, each rounded. */
gdl.lanczos = function (pixels, from, to) {
    const sinc = x => x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
    const scale = from / to, wide = Math.max(scale, 1), support = 3 * wide;
    const weights = Array.from({length: to}, (_, i) => {
        const centre = (i + 0.5) * scale, first = Math.max(0, Math.trunc(centre - support + 0.5)), end = Math.min(from, Math.trunc(centre + support + 0.5));
        const values = Array.from({length: end - first}, (_, j) => (first + j - centre + 0.5) / wide).map(x => Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0);
        const sum = values.reduce((a, b) => a + b, 0);
        return {first, values: Float64Array.from(values, value => value / sum)};
    });
    const pass = (x, rows, step, next) => { // a pass along the columns of each row, or along the rows of each column
        const y = new Uint8ClampedArray(4 * rows * to);
        for (let row = 0; row < rows; row++) for (let i = 0; i < to; i++) for (let colour = 0; colour < 4; colour++) {
            const {first, values} = weights[i];
            let sum = 0;
            for (let j = 0, place = row * next.from + first * step.from + colour; j < values.length; j++, place += step.from) sum += values[j] * x[place];
            y[row * next.to + i * step.to + colour] = Math.floor(sum + 0.5);
        }
        return y;
    };
    const half = pass(pixels, from, {from: 4, to: 4}, {from: 4 * from, to: 4 * to}); // (from, to)
    return pass(half, to, {from: 4 * to, to: 4 * to}, {from: 4, to: 4}); // (to, to)
};
