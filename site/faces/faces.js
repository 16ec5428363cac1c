/* The page: what its controls do. The face shown is always the decoded code  z + sum of slider * vector. */
"use strict";
const MODELS = {
    "gan-celeba64": "GAN, photographs", "vae-celeba64": "VAE, photographs", "gan-drawn64": "GAN, drawn faces", "vae-drawn64": "VAE, drawn faces",
};
const FIRST = ["Smiling", "Young", "Male", "Eyeglasses", "Blond_Hair", "Black_Hair", "Bangs", "Mouth_Slightly_Open", "Wearing_Lipstick", "No_Beard"];
const SHOWN = 12; // faces in the grid
const $ = id => document.getElementById(id);

// model: its name.  decoder: its network.  vectors: attribute -> vector.  alphas: attribute -> slider.
// wanted: the model that was chosen last, which may still be loading.
// z: the code before the sliders.  source: where z is from.  start: number of the grid's first face.  ends: the two codes of the path.
const state = {wanted: null, model: null, decoder: null, vectors: {}, alphas: {}, z: null, source: "", start: 1, ends: [null, null]};

function show(canvas, bytes) {
    canvas.getContext("2d").putImageData(new ImageData(bytes, Math.sqrt(bytes.length / 4)), 0, 0);
}

/** The code that a number stands for, from the chosen distribution. */
function numbered(number) {
    const uniforms = gdl.uniforms(state.decoder.written.z_dim, number);
    return $("limit-row").hidden ? gdl.inCube(uniforms, +$("r").value) : gdl.truncated(uniforms, +$("limit").value);
}

/** The code of the face that is shown: z with the attributes added. */
function edited() {
    const z = Float32Array.from(state.z);
    for (const [name, alpha] of Object.entries(state.alphas)) {
        if (alpha) state.vectors[name].forEach((value, i) => { z[i] += alpha * value; });
    }
    return z;
}

// What has to be drawn is collected and drawn in the next frame, so that a fast slider skips faces instead of falling behind.
const waiting = new Map();
function soon(name, draw) {
    if (!waiting.size) requestAnimationFrame(() => { const all = [...waiting.values()]; waiting.clear(); all.forEach(one => one()); });
    waiting.set(name, draw);
}

const draw = {
    face() {
        const begin = performance.now(), bytes = state.decoder.image(edited()), time = performance.now() - begin;
        show($("face"), bytes);
        const changes = Object.entries(state.alphas).filter(([, alpha]) => alpha).map(([name, alpha]) => `${spoken(name)} ${signed(alpha)}`);
        $("face").setAttribute("aria-label", [`A face: ${state.source}`, ...changes].join(", "));
        $("status").textContent = `${state.source}, computed in ${Math.max(1, Math.round(time))} ms`;
        const {z_dim} = state.decoder.written;
        $("length").textContent = `The code of the face above has ${z_dim} numbers and length ${gdl.norm(state.z).toFixed(1)}. Nearly all codes of a standard normal are about √${z_dim} = ${Math.sqrt(z_dim).toFixed(1)} long.`;
    },
    grid() {
        [...$("grid").children].forEach((button, i) => soon(`grid ${i}`, () => {
            const number = state.start + i;
            show(button.firstElementChild, state.decoder.image(numbered(number)));
            button.setAttribute("aria-label", `Face ${number}`);
            button.setAttribute("aria-pressed", String(+$("number").value === number && state.source.startsWith("Face")));
        }));
    },
    path() {
        show($("first"), state.decoder.image(state.ends[0]));
        show($("second"), state.decoder.image(state.ends[1]));
        draw.between();
    },
    between() {
        const t = +$("t").value;
        $("t-value").textContent = t.toFixed(2);
        show($("between"), state.decoder.image(gdl.slerp(state.ends[0], state.ends[1], t)));
        $("between").setAttribute("aria-label", `The face at ${t.toFixed(2)} between the first and the second`);
    },
};

const spoken = name => name.replaceAll("_", " ").replace("5 o C", "5 o'c");
const signed = number => (number > 0 ? "+" : "−") + Math.abs(number).toFixed(1);

function takeNumber(number) {
    $("number").value = number;
    state.z = numbered(number);
    state.source = `Face ${number} of ${state.model}`;
    soon("face", draw.face);
    soon("grid", draw.grid);
}

function say(problem) {
    $("problem").textContent = problem;
    $("problem").hidden = !problem;
}

/** The network of a name, or null if its file cannot be loaded, which the page then says. */
async function loaded(name) {
    try {
        const network = await gdl.network(name);
        say("");
        return network;
    } catch (error) {
        say(`${error.message} Reload the page; on your own copy run python tools/web_faces.py first.`);
        return null;
    }
}

/** Loads a model and shows the same number of face with it. */
async function choose(name) {
    $("status").textContent = "Loading the network…";
    state.wanted = name;
    const decoder = await loaded(name);
    if (!decoder || state.wanted !== name) return; // another model has been chosen while this one was loading
    Object.assign(state, {model: name, decoder});
    document.querySelector(`input[value="${name}"]`).checked = true;
    history.replaceState(null, "", `#${name}`);
    readVectors();
    makeSliders();
    const photographed = name.startsWith("vae");
    $("photo-part").hidden = !photographed;
    $("photo-needs").hidden = photographed;
    $("crop").hidden = true;
    $("photo").value = "";
    takeNumber(+$("number").value);
    state.ends = [numbered(2), numbered(5)];
    soon("path", draw.path);
}

function readVectors() {
    const {written} = state.decoder, {z_dim, attributes} = written;
    const numbers = gdl.halves(written[$("balanced").checked ? "balanced vectors" : "vectors"]);
    state.vectors = Object.fromEntries(attributes.map((name, i) => [name, numbers.subarray(i * z_dim, (i + 1) * z_dim)]));
}

function makeSliders() {
    const names = state.decoder.written.attributes, first = FIRST.filter(name => names.includes(name));
    const alphas = state.alphas;
    state.alphas = Object.fromEntries(names.map(name => [name, alphas[name] ?? 0])); // another model keeps what it knows
    const rows = chosen => chosen.map(name => {
        const row = Object.assign(document.createElement("label"), {className: "slider"});
        const input = Object.assign(document.createElement("input"), {type: "range", min: -2, max: 2, step: 0.1, value: state.alphas[name], name});
        const output = document.createElement("output");
        const tell = () => { output.textContent = state.alphas[name] ? signed(state.alphas[name]) : "0"; };
        input.addEventListener("input", () => { state.alphas[name] = +input.value; tell(); soon("face", draw.face); });
        row.append(Object.assign(document.createElement("span"), {textContent: spoken(name)}), input, output);
        tell();
        return row;
    });
    $("sliders").replaceChildren(...rows(first));
    $("more").replaceChildren(...rows(names.filter(name => !first.includes(name))));
}

function wire() {
    for (const [name, text] of Object.entries(MODELS)) {
        const input = Object.assign(document.createElement("input"), {type: "radio", name: "model", value: name});
        input.addEventListener("change", () => choose(name));
        const label = document.createElement("label");
        label.append(input, ` ${text}`);
        $("models").append(label);
    }
    for (let i = 0; i < SHOWN; i++) {
        const button = Object.assign(document.createElement("button"), {type: "button"});
        button.append(Object.assign(document.createElement("canvas"), {width: 64, height: 64}));
        button.addEventListener("click", () => takeNumber(state.start + i));
        $("grid").append(button);
    }
    $("another").addEventListener("click", () => takeNumber(+$("number").value % 999999 + 1));
    $("number").addEventListener("change", () => takeNumber(Math.min(999999, Math.max(1, Math.round(+$("number").value) || 1))));
    $("reset").addEventListener("click", () => { state.alphas = {}; makeSliders(); soon("face", draw.face); });
    $("balanced").addEventListener("change", () => { readVectors(); soon("face", draw.face); });
    for (const choice of document.getElementsByName("distribution")) {
        choice.addEventListener("change", () => {
            $("limit-row").hidden = choice.value === "cube";
            $("r-row").hidden = choice.value !== "cube";
            takeNumber(+$("number").value);
        });
    }
    for (const name of ["limit", "r"]) {
        $(name).addEventListener("input", () => { $(`${name}-value`).textContent = (+$(name).value).toFixed(1); takeNumber(+$("number").value); });
    }
    $("others").addEventListener("click", () => { state.start += SHOWN; soon("grid", draw.grid); });
    $("t").addEventListener("input", () => soon("between", draw.between));
    ["take-first", "take-second"].forEach((name, end) => $(name).addEventListener("click", () => { state.ends[end] = edited(); soon("path", draw.path); }));
    $("play").addEventListener("click", play);
    $("choose-vae").addEventListener("click", () => choose("vae-celeba64"));
    wirePhoto();
}

/** Moves the position to and fro until the button is pressed again. */
function play() {
    const on = $("play").getAttribute("aria-pressed") !== "true", began = performance.now() - 1000 * Math.acos(1 - 2 * $("t").value);
    $("play").setAttribute("aria-pressed", String(on));
    $("play").textContent = on ? "Stop" : "Play";
    const move = now => {
        if ($("play").getAttribute("aria-pressed") !== "true") return;
        $("t").value = (1 - Math.cos((now - began) / 1000)) / 2;
        draw.between();
        requestAnimationFrame(move);
    };
    if (on) requestAnimationFrame(move);
}

function wirePhoto() {
    let photo = null, eyes = null, moved = false, code = null;
    const encode = async () => { // -> whether there is a code
        const {model, decoder} = state, encoder = await loaded(`${model}-encoder`);
        if (!encoder || model !== state.model) return false; // another model has been chosen while the encoder was loading
        const bytes = gdl.cropPhoto(photo, decoder.written.image_size, moved ? eyes : null);
        code = encoder.code(bytes);
        show($("cropped"), bytes);
        show($("rebuilt"), decoder.image(code));
        return true;
    };
    const use = () => { state.z = code; state.source = `Your photograph, coded by ${state.model}`; soon("face", draw.face); soon("grid", draw.grid); };
    const place = () => eyes.forEach(([x, y], i) => {
        Object.assign($(`eye-${i}`).style, {left: `${100 * (x + 0.5) / photo.width}%`, top: `${100 * (y + 0.5) / photo.height}%`});
    });
    const move = (i, x, y) => {
        eyes[i] = [Math.min(photo.width - 1, Math.max(0, x)), Math.min(photo.height - 1, Math.max(0, y))];
        moved = true;
        place();
        if (Math.hypot(eyes[0][0] - eyes[1][0], eyes[0][1] - eyes[1][1]) >= 1) soon("photo", encode);
    };
    $("photo").addEventListener("change", async () => {
        const [file] = $("photo").files;
        if (!file) return;
        try {
            photo = await createImageBitmap(file); // upright: the camera's orientation is applied
        } catch {
            return say(`${file.name} is not an image that this browser can read: save it as JPEG or PNG.`);
        }
        [eyes, moved] = [gdl.usualEyes(photo.width, photo.height), false];
        const canvas = $("photo-canvas"), scale = Math.min(1, 800 / Math.max(photo.width, photo.height));
        Object.assign(canvas, {width: Math.max(1, Math.round(scale * photo.width)), height: Math.max(1, Math.round(scale * photo.height))});
        canvas.getContext("2d").drawImage(photo, 0, 0, canvas.width, canvas.height);
        $("crop").hidden = false;
        place();
        if (await encode()) use();
    });
    [0, 1].forEach(i => {
        const eye = $(`eye-${i}`);
        eye.addEventListener("pointerdown", event => eye.setPointerCapture(event.pointerId));
        eye.addEventListener("pointermove", event => {
            if (!eye.hasPointerCapture(event.pointerId)) return;
            const view = $("photo-canvas").getBoundingClientRect();
            move(i, (event.clientX - view.left) / view.width * photo.width - 0.5, (event.clientY - view.top) / view.height * photo.height - 0.5);
        });
        eye.addEventListener("keydown", event => {
            const way = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[event.key], step = photo.width / 200;
            if (!way) return;
            event.preventDefault();
            move(i, eyes[i][0] + step * way[0], eyes[i][1] + step * way[1]);
        });
    });
    $("use-photo").addEventListener("click", () => { use(); $("face").scrollIntoView({block: "nearest"}); });
}

wire();
choose(location.hash.slice(1) in MODELS ? location.hash.slice(1) : "gan-celeba64");
