/* A GAN in the plane: its losses, its rounds and how many modes it reaches. gdl.uniform is in ../faces/codes.js. */
"use strict";
window.gdl = window.gdl || {};

/** n standard normal numbers, by Box and Muller. */
gdl.normals = (n, random) => Float64Array.from({length: n}, () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random()));

/** The data: centres of normal clusters, their deviation, and the share of the points that each has. */
gdl.DATA = {
    ring: {name: "Ring of eight", deviation: 0.05, clusters: Array.from({length: 8}, (_, i) => [2 * Math.cos(i * Math.PI / 4), 2 * Math.sin(i * Math.PI / 4), 1 / 8])},
    grid: {name: "Grid of 25", deviation: 0.05, clusters: Array.from({length: 25}, (_, i) => [i % 5 - 2, Math.floor(i / 5) - 2, 1 / 25])},
    rare: {name: "Five, one of them rare", deviation: 0.15, clusters: [[-1.5, 1.3, 0.4], [1.5, 1.3, 0.3], [0, -0.2, 0.15], [-1.5, -1.7, 0.1], [1.6, -1.7, 0.05]]},
};

/** n points of the data, (n, 2). */
gdl.draw = function (data, n, random) {
    const points = gdl.normals(2 * n, random);
    for (let i = 0; i < n; i++) {
        let u = random(), which = 0;
        while (which < data.clusters.length - 1 && u > data.clusters[which][2]) u -= data.clusters[which++][2];
        for (const axis of [0, 1]) points[2 * i + axis] = data.clusters[which][axis] + data.deviation * points[2 * i + axis];
    }
    return points;
};

const softplus = x => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const sigmoid = x => 1 / (1 + Math.exp(-x));

/** critic(r, f): loss of a pair of a real and a fake score, and its gradients in both. generator(r, f): that of the generator, and its gradient in f. */
gdl.LOSSES = {
    cross_entropy: {
        critic: (r, f) => [softplus(-r) + softplus(f), -sigmoid(-r), sigmoid(f)],
        generator: (r, f) => [softplus(-f), -sigmoid(-f)],
    },
    wasserstein: {critic: (r, f) => [f - r, -1, 1], generator: (r, f) => [-f, -1]},
    relativistic: {
        critic: (r, f) => [softplus(f - r), -sigmoid(f - r), sigmoid(f - r)],
        generator: (r, f) => [softplus(r - f), -sigmoid(r - f)],
    },
};

/** What can be chosen. clip: limit of the critic's weights.  gp: weight of the gradient penalty.  r1: gamma of R1, of which half is taken. */
gdl.KINDS = {
    cross_entropy: {name: "Cross-entropy", loss: "cross_entropy"},
    wgan_clip: {name: "WGAN, weights clipped", loss: "wasserstein", clip: 0.1},
    wgan_gp: {name: "WGAN with gradient penalty", loss: "wasserstein", gp: 1},
    relativistic_r1: {name: "Relativistic with R1", loss: "relativistic", r1: 0.1},
};

/** One training. options: data and kind (names), criticSteps and generatorSteps in a round, momentum (the first beta of Adam), seed; units of each
 *  hidden layer, points in a batch, learning rate. `change` changes the kind, the steps and the momentum while it runs. */
gdl.Game = class {
    constructor({data = "ring", kind = "cross_entropy", criticSteps = 1, generatorSteps = 1, momentum = 0, seed = 0, hidden = 32, batch = 128, rate = 2e-3} = {}) {
        Object.assign(this, {data: gdl.DATA[data], kind: gdl.KINDS[kind], criticSteps, generatorSteps, batch, random: gdl.uniform(seed), rounds: 0, losses: [0, 0]});
        this.generator = new gdl.Mlp([2, hidden, hidden, 2], this.random);
        this.critic = new gdl.Mlp([2, hidden, hidden, 1], this.random);
        this.optimizers = [this.critic, this.generator].map(network => new gdl.Adam(network, rate, momentum));
        this.codes = gdl.normals(2 * 1000, gdl.uniform(seed + 1e6)); // of the points that are shown
    }

    change({kind, criticSteps, generatorSteps, momentum}) {
        Object.assign(this, {kind: gdl.KINDS[kind], criticSteps, generatorSteps});
        for (const optimizer of this.optimizers) optimizer.beta1 = momentum;
    }

    round() {
        for (let i = 0; i < this.criticSteps; i++) this.losses[0] = this.criticStep();
        for (let i = 0; i < this.generatorSteps; i++) this.losses[1] = this.generatorStep();
        this.rounds++;
    }

    drawBatch() {
        return [gdl.draw(this.data, this.batch, this.random), this.generator.forward(gdl.normals(2 * this.batch, this.random))];
    }

    criticStep() {
        const [real, fake] = this.drawBatch();
        this.critic.clear();
        const shares = Float64Array.from({length: this.batch}, this.random);
        const loss = gdl.criticGradients(this.critic, this.kind, real, fake, shares);
        this.optimizers[0].step();
        const {clip} = this.kind;
        if (clip) for (const array of this.critic.parameters) array.forEach((w, i) => { array[i] = Math.min(clip, Math.max(-clip, w)); });
        return loss;
    }

    generatorStep() {
        const [real, fake] = this.drawBatch();
        this.generator.clear();
        const loss = gdl.generatorGradients(this.generator, this.critic, this.kind, real, fake);
        this.optimizers[1].step();
        return loss;
    }

    /** The generated points that are shown, (1000, 2). */
    points() { return this.generator.forward(this.codes); }

    /** How many clusters at least 1 % of the points reach, that is, are within three standard deviations of. As in chapter 04 */
    modes(points = this.points()) {
        const {clusters, deviation} = this.data, n = points.length / 2;
        return clusters.filter(([x, y]) => {
            let near = 0;
            for (let i = 0; i < n; i++) near += Math.hypot(points[2 * i] - x, points[2 * i + 1] - y) < 3 * deviation;
            return near >= 0.01 * n;
        }).length;
    }
};

/** Adds the gradients of the critic's mean loss, with its penalty, to the critic's. real, fake: (n, 2), shares: (n) for the points between. -> the loss */
gdl.criticGradients = function (critic, kind, real, fake, shares) {
    const n = real.length / 2, all = new Float64Array(4 * n);
    all.set(real);
    all.set(fake, 2 * n);
    const scores = critic.forward(all), signals = new Float64Array(2 * n);
    let loss = 0;
    for (let i = 0; i < n; i++) {
        const [value, inReal, inFake] = gdl.LOSSES[kind.loss].critic(scores[i], scores[n + i]);
        loss += value / n;
        signals[i] = inReal / n;
        signals[n + i] = inFake / n;
    }
    critic.backward(signals);
    if (kind.gp) {
        const between = Float64Array.from(real, (x, i) => fake[i] + shares[i >> 1] * (x - fake[i]));
        loss += penalty(critic, between, g => [kind.gp * (g - 1) ** 2, 2 * kind.gp * (g - 1) / g]);
    }
    if (kind.r1) loss += penalty(critic, real, g => [kind.r1 / 2 * g * g, kind.r1]);
    return loss;
};

/** Adds the gradients of the mean of a function of the norm of the critic's input gradient. P(norm) -> [value, derivative / norm] */
function penalty(critic, x, P) {
    const g = critic.inputGradient(x), n = x.length / 2, dP = new Float64Array(g.length);
    let mean = 0;
    for (let i = 0; i < n; i++) {
        const [value, factor] = P(Math.sqrt(g[2 * i] ** 2 + g[2 * i + 1] ** 2 + 1e-12));
        mean += value / n;
        for (const axis of [0, 1]) dP[2 * i + axis] = factor * g[2 * i + axis] / n;
    }
    critic.throughInputGradient(dP);
    return mean;
}

/** Adds the gradients of the generator's mean loss to the generator's, whose last forward made the fakes. -> the loss */
gdl.generatorGradients = function (generator, critic, kind, real, fake) {
    const n = real.length / 2, needsReal = kind.loss === "relativistic";
    const realScores = needsReal ? critic.forward(real) : null, scores = critic.forward(fake), signals = new Float64Array(n);
    let loss = 0;
    for (let i = 0; i < n; i++) {
        const [value, inFake] = gdl.LOSSES[kind.loss].generator(needsReal ? realScores[i] : 0, scores[i]);
        loss += value / n;
        signals[i] = inFake / n;
    }
    generator.backward(critic.backward(signals, false));
    return loss;
};
