/* Codes: random ones from a truncated normal or from a cube, and the path from one code to another. */
"use strict";
window.gdl = window.gdl || {};

/** A generator of uniform numbers in (0, 1) that a seed determines: mulberry32 by T. Ettinger, in the public domain. */
gdl.uniform = function (seed) {
    let state = seed >>> 0;
    return () => {
        state = state + 0x6D2B79F5 >>> 0;
        let t = Math.imul(state ^ state >>> 15, state | 1);
        t ^= t + Math.imul(t ^ t >>> 7, t | 61);
        return ((t ^ t >>> 14) >>> 0) / 4294967296 + 2 ** -33;
    };
};

/** n uniform numbers of a seed. A code is made of them, so that it moves continuously with the truncation and with r. */
gdl.uniforms = (n, seed) => Float64Array.from({length: n}, gdl.uniform(seed));

/** The distribution function of the standard normal, to 1e-7 relative: W. J. Cody's and others' fractions as in Numerical Recipes, erfc. */
gdl.normalBelow = function (x) {
    const z = Math.abs(x) / Math.SQRT2, t = 1 / (1 + z / 2);
    const factors = [-1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277];
    const above = t * Math.exp(-z * z + factors.reduceRight((sum, factor) => factor + t * sum, 0)) / 2;
    return x > 0 ? 1 - above : above;
};

/** The number that a standard normal is below with probability p, to seven digits: M. Wichura, algorithm AS 241, 1988. */
gdl.normalQuantile = function (p) {
    const ratio = (x, above, below) => [above, below].map(factors => factors.reduceRight((sum, factor) => sum * x + factor, 0)).reduce((a, b) => a / b);
    const q = p - 0.5;
    if (Math.abs(q) <= 0.425) {
        return q * ratio(0.180625 - q * q, [3.3871327179, 50.434271938, 159.29113202, 59.10937472], [1, 17.895169469, 78.757757664, 67.1875636]);
    }
    const r = Math.sqrt(-Math.log(Math.min(p, 1 - p)));
    const size = r <= 5
        ? ratio(r - 1.6, [1.4234372777, 2.75681539, 1.3067284816, 0.17023821103], [1, 0.7370016425, 0.12021132975])
        : ratio(r - 5, [6.657905115, 3.081226386, 0.42868294337, 0.017337203997], [1, 0.24197894225, 0.012258202635]);
    return Math.sign(q) * size;
};

/** A code from a standard normal without what is farther than `limit` from 0 (the truncation of Brock, Donahue and Simonyan 2019). */
gdl.truncated = function (uniforms, limit) {
    const low = gdl.normalBelow(-limit);
    return Float32Array.from(uniforms, u => gdl.normalQuantile(low + u * (1 - 2 * low)));
};

/** A code from the cube [-r, r]^z_dim, as in chapter 02. */
gdl.inCube = (uniforms, r) => Float32Array.from(uniforms, u => r * (2 * u - 1));

/** The code at fraction t of the arc from one code to another: gdl.latent.slerp. */
gdl.slerp = function (first, second, t) {
    const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
    const lengths = [Math.sqrt(dot(first, first)), Math.sqrt(dot(second, second))];
    const cosine = Math.min(1, Math.max(-1, dot(first, second) / (lengths[0] * lengths[1]))), angle = Math.acos(cosine), sine = Math.sin(angle);
    if (!(sine > 1e-6)) return first.map((x, i) => (1 - t) * x + t * second[i]); // no angle between them
    const length = (1 - t) * lengths[0] + t * lengths[1];
    const shares = [Math.sin((1 - t) * angle) / sine / lengths[0], Math.sin(t * angle) / sine / lengths[1]];
    return first.map((x, i) => length * (shares[0] * x + shares[1] * second[i]));
};

/** The length of a code. */
gdl.norm = z => Math.sqrt(z.reduce((sum, x) => sum + x * x, 0));
