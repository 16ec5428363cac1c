/* A small network with its gradients written out: forward, backward, and the gradient of a function of its input gradient. */
"use strict";
window.gdl = window.gdl || {};

/** Layers of sizes [inputs, hidden, ..., outputs] with leaky ReLU between them; the last is linear. Rows of a batch lie one after the other.
 *  random: a function that gives uniform numbers in (0, 1), for the first weights (Glorot and Bengio 2010).
 *  weights[l]: (outputs, inputs).  biases[l]: (outputs).  gradients: arrays like all of them, to which the methods add. */
gdl.Mlp = class {
    constructor(sizes, random, slope = 0.2) {
        this.sizes = sizes;
        this.slope = slope;
        this.weights = [];
        this.biases = [];
        for (let l = 1; l < sizes.length; l++) {
            const limit = Math.sqrt(6 / (sizes[l - 1] + sizes[l]));
            this.weights.push(Float64Array.from({length: sizes[l] * sizes[l - 1]}, () => limit * (2 * random() - 1)));
            this.biases.push(new Float64Array(sizes[l]));
        }
        this.parameters = [...this.weights, ...this.biases];
        this.gradients = this.parameters.map(array => new Float64Array(array.length));
    }

    clear() { this.gradients.forEach(array => array.fill(0)); }

    /** Outputs of a batch. Keeps what `backward` needs. (n, inputs) -> (n, outputs) */
    forward(x) {
        const {sizes, slope} = this, n = x.length / sizes[0], last = sizes.length - 1;
        this.values = [x]; // the input of each layer, and the outputs
        this.slopes = []; // of each hidden unit: 1 or the leaky slope
        for (let l = 0; l < last; l++) {
            const inputs = sizes[l], outputs = sizes[l + 1], w = this.weights[l], b = this.biases[l], y = new Float64Array(n * outputs);
            for (let row = 0; row < n; row++) for (let o = 0; o < outputs; o++) y[row * outputs + o] = b[o] + dot(w, o * inputs, x, row * inputs, inputs);
            if (l < last - 1) {
                const slopes = new Float64Array(y.length);
                for (let i = 0; i < y.length; i++) y[i] *= slopes[i] = y[i] > 0 ? 1 : slope;
                this.slopes.push(slopes);
            }
            this.values.push(x = y);
        }
        return x;
    }

    /** Gradients of a loss whose gradient in the outputs of the last `forward` is dy. (n, outputs) -> that in the inputs, (n, inputs)
     *  learn: whether the gradients of the weights are added, too. */
    backward(dy, learn = true) {
        const {sizes} = this;
        this.signals = []; // gradients in what each layer computes before its slope, for `throughInputGradient`
        for (let l = sizes.length - 2; l >= 0; l--) {
            const inputs = sizes[l], outputs = sizes[l + 1], w = this.weights[l], x = this.values[l], n = x.length / inputs, dx = new Float64Array(x.length);
            if (l < sizes.length - 2) {
                const slopes = this.slopes[l];
                for (let i = 0; i < dy.length; i++) dy[i] *= slopes[i];
            }
            this.signals[l] = dy;
            if (learn) outer(dy, x, this.gradients[l], n, outputs, inputs);
            for (let row = 0; row < n; row++) for (let o = 0; o < outputs; o++) {
                const signal = dy[row * outputs + o];
                if (learn) this.gradients[sizes.length - 1 + l][o] += signal;
                add(signal, w, o * inputs, dx, row * inputs, inputs);
            }
            dy = dx;
        }
        return dy;
    }

    /** The gradient of each row's only output in its input. (n, inputs) -> (n, inputs) */
    inputGradient(x) {
        return this.backward(new Float64Array(this.forward(x).length).fill(1), false);
    }

    /** Adds the gradients of a function P of the input gradient g, which `inputGradient` has just computed. dP: gradient of P in g, (n, inputs)
     *
     *  With leaky ReLU, g = W1' S1 W2' S2 W3' where the slopes S are constant almost everywhere, so that biases get no gradient, and each weight
     *  matrix occurs once: its gradient is the signal that came from above times dP carried up through the layers below. */
    throughInputGradient(dP) {
        const {sizes} = this;
        for (let l = 0, carried = dP; l < sizes.length - 1; l++) {
            const inputs = sizes[l], outputs = sizes[l + 1], w = this.weights[l], n = carried.length / inputs;
            outer(this.signals[l], carried, this.gradients[l], n, outputs, inputs);
            if (l === sizes.length - 2) break;
            const slopes = this.slopes[l], next = new Float64Array(n * outputs);
            for (let row = 0; row < n; row++) for (let o = 0; o < outputs; o++) {
                next[row * outputs + o] = slopes[row * outputs + o] * dot(w, o * inputs, carried, row * inputs, inputs);
            }
            carried = next;
        }
    }
};

function dot(a, i, b, j, length) {
    let sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0, k = 0; // four sums at a time are quicker
    for (; k + 3 < length; k += 4) {
        sum0 += a[i + k] * b[j + k];
        sum1 += a[i + k + 1] * b[j + k + 1];
        sum2 += a[i + k + 2] * b[j + k + 2];
        sum3 += a[i + k + 3] * b[j + k + 3];
    }
    for (; k < length; k++) sum0 += a[i + k] * b[j + k];
    return sum0 + sum1 + (sum2 + sum3);
}

function add(factor, a, i, sum, j, length) {
    let k = 0;
    for (; k + 3 < length; k += 4) {
        sum[j + k] += factor * a[i + k];
        sum[j + k + 1] += factor * a[i + k + 1];
        sum[j + k + 2] += factor * a[i + k + 2];
        sum[j + k + 3] += factor * a[i + k + 3];
    }
    for (; k < length; k++) sum[j + k] += factor * a[i + k];
}

/** Adds the sum over rows of dy' x to a matrix. (n, outputs), (n, inputs) -> (outputs, inputs) */
function outer(dy, x, sum, n, outputs, inputs) {
    for (let row = 0; row < n; row++) for (let o = 0; o < outputs; o++) add(dy[row * outputs + o], x, row * inputs, sum, o * inputs, inputs);
}

/** Adam (Kingma and Ba 2015) for all weights of a network, from its `gradients`. */
gdl.Adam = class {
    constructor(network, rate, beta1, beta2 = 0.99, epsilon = 1e-7) {
        Object.assign(this, {network, rate, beta1, beta2, epsilon, steps: 0});
        [this.means, this.squares] = [0, 1].map(() => network.parameters.map(array => new Float64Array(array.length)));
    }

    step() {
        const {network, beta1, beta2, epsilon} = this;
        this.steps++;
        const rate = this.rate * Math.sqrt(1 - beta2 ** this.steps) / (1 - beta1 ** this.steps);
        network.parameters.forEach((weights, p) => {
            const gradients = network.gradients[p], mean = this.means[p], square = this.squares[p];
            for (let i = 0; i < weights.length; i++) {
                mean[i] += (1 - beta1) * (gradients[i] - mean[i]);
                square[i] += (1 - beta2) * (gradients[i] ** 2 - square[i]);
                weights[i] -= rate * mean[i] / (Math.sqrt(square[i]) + epsilon);
            }
        });
    }
};
