/* The page: it plays a gdl.Game frame by frame, draws it, and changes its settings. */
"use strict";
const $ = id => document.getElementById(id);
const REACH = 3; // the plane is drawn from -3 to 3
const CELLS = 56; // in which the discriminator is evaluated, each way
const NUMBERS = ["criticSteps", "generatorSteps", "momentum"]; // settings that are sliders
const FRAME = 40; // milliseconds of training in a frame, at most
const EVERY = 10; // rounds between two points of the curves
const COLOURS = {fake: [240, 160, 90], middle: [247, 244, 238], real: [111, 168, 220], point: "#b0125b", critic: "#3d85c6", generator: "#d0568f"};

// What a button sets, and what to look for. `anew` begins with new networks; the others go on with those that are there.
const PRESETS = {
    works: {
        name: "1 · It works", anew: true, kind: "cross_entropy", criticSteps: 1, generatorSteps: 1,
        story: "Cross-entropy, one step each in a round. The points first find the ring, then the clusters one after the other. Wait until eight modes are reached.",
    },
    collapse: {
        name: "2 · Collapse", anew: true, kind: "cross_entropy", criticSteps: 1, generatorSteps: 5, momentum: 0.5,
        story: "The generator takes five steps in a round, with momentum. All its points run to the place that the discriminator takes for real, and run on when it has learned that the place is false: mode collapse, and a game that goes in circles. The losses look harmless.",
    },
    relativistic: {
        name: "3 · Cure: relativistic, R1", anew: false, kind: "relativistic_r1", criticSteps: 1, generatorSteps: 1,
        story: "The same two networks go on with the relativistic loss and R1, one step each, no momentum. The clump opens, and the modes come back. Which of the changes cures it? Undo them one by one.",
    },
    penalty: {
        name: "4 · Cure: WGAN-GP", anew: false, kind: "wgan_gp", criticSteps: 3, generatorSteps: 1,
        story: "The same two networks go on as a WGAN with gradient penalty, with three steps of the critic in a round and no momentum. The colours become an even slope from the points to the data.",
    },
    few: {
        name: "5 · Too few critic steps", anew: true, kind: "wgan_gp", criticSteps: 1, generatorSteps: 1, momentum: 0.5,
        story: "WGAN-GP from new networks, with momentum and one step of the critic in a round instead of three. The critic is late, and the points swing to and fro past the clusters. Give the critic more steps and take the momentum away while it runs.",
    },
    clipped: {
        name: "6 · Weights clipped", anew: true, kind: "wgan_clip", criticSteps: 5, generatorSteps: 1,
        story: "WGAN with clipped weights, five steps of the critic in a round. Such a critic can only be simple, and its colours are coarse. The points reach the clusters one after the other. Compare the colours with those of the gradient penalty.",
    },
};

// game: the training.  data: name of its data.  running: whether it goes on.  curves: rounds, modes and losses so far.
const state = {game: null, data: "ring", running: false, curves: []};

function begin() {
    state.game = new gdl.Game({...settings(), data: state.data, seed: Math.max(0, Math.round(+$("seed").value) || 0)});
    state.curves = [];
    $("of").textContent = `of ${state.game.data.clusters.length} modes reached`;
    paint();
}

const settings = () => ({
    kind: document.querySelector("input[name=kind]:checked").value,
    ...Object.fromEntries(NUMBERS.map(name => [name, +$(name).value])),
});

/** Lets the running game follow the controls. */
function follow() {
    state.game.change(settings());
    for (const name of [...NUMBERS, "speed"]) $(`${name}-value`).textContent = $(name).value;
    $("scale").textContent = state.game.kind.loss === "cross_entropy" ? "the discriminator: from certainly fake to certainly real" : "the critic's score: from its lowest to its highest here";
}

/** Plays rounds, and keeps a point of the curves now and then. */
function play(rounds, limit = Infinity) {
    const {game, curves} = state, until = performance.now() + limit;
    for (let i = 0; i < rounds && performance.now() < until; i++) {
        game.round();
        if (game.rounds % EVERY === 0) curves.push({round: game.rounds, modes: game.modes(), critic: game.losses[0], generator: game.losses[1]});
    }
}

function run(on) {
    if (on === state.running) return;
    state.running = on;
    $("run").textContent = on ? "Pause" : "Start";
    $("run").setAttribute("aria-pressed", String(on));
    const frame = () => {
        if (!state.running) return;
        play(+$("speed").value, FRAME);
        paint();
        requestAnimationFrame(frame);
    };
    if (on) requestAnimationFrame(frame);
}

function choosePreset(name) {
    const {anew, kind, story, ...numbers} = {momentum: 0, ...PRESETS[name]};
    document.querySelector(`input[name=kind][value=${kind}]`).checked = true;
    for (const number of NUMBERS) $(number).value = numbers[number];
    $("story").textContent = story;
    if (anew || !state.game) begin();
    follow();
    history.replaceState(null, "", `#${name}`);
}

// Drawing

const place = (x, size) => (x + REACH) / (2 * REACH) * size;

function paint() {
    const {game} = state, points = game.points(), modes = game.modes(points);
    paintPlane(points);
    paintCurves();
    $("modes").textContent = modes;
    const [critic, generator] = game.losses.map(loss => loss.toFixed(2));
    $("numbers").textContent = `Round ${game.rounds}, loss of the discriminator ${critic}, of the generator ${generator}`;
    $("plane").setAttribute("aria-label", `The plane at round ${game.rounds}: the generated points reach ${modes} of ${game.data.clusters.length} clusters`);
}

function paintPlane(points) {
    const canvas = $("plane"), context = canvas.getContext("2d"), size = canvas.width, {game} = state;
    context.imageSmoothingEnabled = true;
    context.drawImage(critics(), 0, 0, size, size);
    context.fillStyle = COLOURS.point;
    for (let i = 0; i < points.length; i += 2) context.fillRect(place(points[i], size) - 1.5, place(-points[i + 1], size) - 1.5, 3, 3);
    context.strokeStyle = "#15202b";
    context.lineWidth = 2;
    for (const [x, y] of game.data.clusters) {
        context.beginPath();
        context.arc(place(x, size), place(-y, size), 3 * game.data.deviation / (2 * REACH) * size, 0, 2 * Math.PI);
        context.stroke();
    }
}

/** The discriminator as a small picture: its probability, or its score between the lowest and the highest here. */
function critics() {
    const {game} = state, x = new Float64Array(2 * CELLS ** 2);
    for (let i = 0; i < CELLS ** 2; i++) {
        x[2 * i] = REACH * (2 * (i % CELLS + 0.5) / CELLS - 1);
        x[2 * i + 1] = -REACH * (2 * (Math.floor(i / CELLS) + 0.5) / CELLS - 1);
    }
    const scores = game.critic.forward(x), low = scores.reduce((a, b) => Math.min(a, b)), high = scores.reduce((a, b) => Math.max(a, b));
    const probability = game.kind.loss === "cross_entropy";
    const picture = new ImageData(CELLS, CELLS);
    scores.forEach((score, i) => {
        const value = 2 * (probability ? 1 / (1 + Math.exp(-score)) : (score - low) / (high - low || 1)) - 1, side = value > 0 ? COLOURS.real : COLOURS.fake;
        for (let c = 0; c < 3; c++) picture.data[4 * i + c] = COLOURS.middle[c] + Math.abs(value) * (side[c] - COLOURS.middle[c]);
        picture.data[4 * i + 3] = 255;
    });
    const canvas = Object.assign(document.createElement("canvas"), {width: CELLS, height: CELLS});
    canvas.getContext("2d").putImageData(picture, 0, 0);
    return canvas;
}

function paintCurves() {
    const canvas = $("curves"), context = canvas.getContext("2d"), {width, height} = canvas, {curves, game} = state;
    const ink = getComputedStyle(document.body).color, most = game.data.clusters.length, [left, right, top, bottom] = [34, width - 34, 12, height - 24];
    context.clearRect(0, 0, width, height);
    context.font = "13px system-ui, sans-serif";
    context.fillStyle = context.strokeStyle = ink;
    context.lineWidth = 1;
    context.globalAlpha = 0.35;
    context.strokeRect(left, top, right - left, bottom - top);
    context.globalAlpha = 1;
    const label = (text, x, y, align) => { context.textAlign = align; context.fillText(text, x, y); };
    label(most, left - 6, top + 9, "right");
    label("0", left - 6, bottom, "right");
    label("round 0", left, height - 6, "left");
    label(game.rounds, right, height - 6, "right");
    if (curves.length < 2) return;
    const line = (values, low, high, colour, lineWidth) => {
        Object.assign(context, {strokeStyle: colour, lineWidth});
        context.beginPath();
        values.forEach((value, i) => {
            const share = Math.min(1, Math.max(0, (value - low) / (high - low)));
            context.lineTo(left + (right - left) * i / (values.length - 1), bottom - (bottom - top) * share);
        });
        context.stroke();
    };
    const losses = curves.flatMap(point => [point.critic, point.generator]).sort((a, b) => a - b), cut = Math.floor(losses.length / 50);
    const low = Math.min(0, losses[cut]), high = Math.max(2, losses[losses.length - 1 - cut]);
    label(high.toFixed(1), right + 4, top + 9, "left");
    label(low.toFixed(1), right + 4, bottom, "left");
    line(curves.map(point => point.critic), low, high, COLOURS.critic, 1.5);
    line(curves.map(point => point.generator), low, high, COLOURS.generator, 1.5);
    line(curves.map(point => point.modes), 0, most, ink, 2);
}

function wire() {
    const radios = (box, name, entries, checked, change) => Object.entries(entries).forEach(([value, {name: text}]) => {
        const input = Object.assign(document.createElement("input"), {type: "radio", name, value, checked: value === checked});
        input.addEventListener("change", () => change(value));
        const label = document.createElement("label");
        label.append(input, ` ${text}`);
        $(box).append(label);
    });
    radios("kinds", "kind", gdl.KINDS, "cross_entropy", () => { follow(); paint(); });
    radios("datas", "data", gdl.DATA, "ring", value => { state.data = value; begin(); });
    for (const [name, preset] of Object.entries(PRESETS)) {
        const button = Object.assign(document.createElement("button"), {type: "button", textContent: preset.name});
        button.addEventListener("click", () => { choosePreset(name); paint(); run(true); });
        $("presets").append(button);
    }
    for (const name of [...NUMBERS, "speed"]) $(name).addEventListener("input", follow);
    $("run").addEventListener("click", () => run(!state.running));
    $("step").addEventListener("click", () => { run(false); play(1); paint(); });
    $("restart").addEventListener("click", () => { $("seed").value = (+$("seed").value + 1) % 10000; begin(); });
    $("seed").addEventListener("change", begin);
}

wire();
choosePreset(location.hash.slice(1) in PRESETS ? location.hash.slice(1) : "works");
run(!matchMedia("(prefers-reduced-motion: reduce)").matches);
