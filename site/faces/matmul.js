/* The matrix product of a network: in WebAssembly where the browser has SIMD, else in plain JavaScript, with the same results up to rounding. */
"use strict";
window.gdl = window.gdl || {};

gdl.WASM = // matmul.wat, which says what it does and how these characters were made
    "AGFzbQEAAAABCgFgBn9/f39/fwADAgEABQMBAAEHEwIGbWVtb3J5AgAGbWF0bXVsAAAKywQByAQCDH8LeyAEQQJ0IQYgBUECdCEHIAIgB2ohCANAIAEgBEEFdGohCSAAIQsgAiENIAMhCgNAIAshDiAOIAZqIQ8gDyAGaiEQIBAgBmohESARIAZqIQsgASEM/QwAAAAAAAAAAAAAAAAAAAAAIRX9DAAAAAAAAAAAAAAAAAAAAAAhFv0MAAAAAAAAAAAAAAAAAAAAACEX/QwAAAAAAAAAAAAAAAAAAAAAIRj9DAAAAAAAAAAAAAAAAAAAAAAhGf0MAAAAAAAAAAAAAAAAAAAAACEa/QwAAAAAAAAAAAAAAAAAAAAAIRv9DAAAAAAAAAAAAAAAAAAAAAAhHANAIAz9AAQAIRIgDP0ABBAhEyAO/QkCACEUIBUgFCAS/eYB/eQBIRUgFiAUIBP95gH95AEhFiAP/QkCACEUIBcgFCAS/eYB/eQBIRcgGCAUIBP95gH95AEhGCAQ/QkCACEUIBkgFCAS/eYB/eQBIRkgGiAUIBP95gH95AEhGiAR/QkCACEUIBsgFCAS/eYB/eQBIRsgHCAUIBP95gH95AEhHCAOQQRqIQ4gD0EEaiEPIBBBBGohECARQQRqIREgDEEgaiEMIAwgCUkNAAsgDSEOIA4gB2ohDyAPIAdqIRAgECAHaiERIBEgB2ohDSAOIBX9CwQAIA4gFv0LBBAgDyAX/QsEACAPIBj9CwQQIBAgGf0LBAAgECAa/QsEECARIBv9CwQAIBEgHP0LBBAgCkEEayEKIApBAEoNAAsgCSEBIAJBIGohAiACIAhJDQALCw==";

/** Memory for float32 numbers and a matrix product in it. numbers: how many float32 numbers the memory holds.
 *  memory: Float32Array.  product(a, b, c, rows, inner, columns): C = A B, where a, b and c are places in the memory; see matmul.wat. */
gdl.matrices = function (numbers) {
    const bytes = Uint8Array.from(atob(gdl.WASM), character => character.charCodeAt(0));
    if (!WebAssembly.validate(bytes)) {
        const memory = new Float32Array(numbers);
        return {memory, product: (...sizes) => gdl.plainProduct(memory, ...sizes), kind: "JavaScript"};
    }
    const {memory, matmul} = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
    memory.grow(Math.ceil(4 * numbers / 65536));
    const product = (a, b, c, ...sizes) => matmul(4 * a, 4 * b, 4 * c, ...sizes);
    return {memory: new Float32Array(memory.buffer), product, kind: "WebAssembly"};
};

/** The same in plain JavaScript. */
gdl.plainProduct = function (memory, a, b, c, rows, inner, columns) {
    for (let panel = 0; panel < columns / 8; panel++) {
        for (let row = 0; row < rows; row++) {
            const sums = new Float64Array(8);
            for (let k = 0, place = b + panel * inner * 8; k < inner; k++) {
                const x = memory[a + row * inner + k];
                for (let column = 0; column < 8; column++) sums[column] += x * memory[place++];
            }
            memory.set(sums, c + row * columns + panel * 8);
        }
    }
};
