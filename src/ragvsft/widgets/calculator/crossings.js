// @ts-check
/* Every volume at which the cheaper of two options changes: the twin of costs/break_even.py `crossings`. */
(() => {
  "use strict";

  const JUST_BESIDE = 1e-9;
  const ROUNDING = 1e-13;
  const MOST_STEPS = 2000;

  /** @typedef {[number, number, number]} Point a volume and the costs of A and of B there */

  /** @type {(point: Point) => number} */
  const lead = ([, a, b]) => a - b;

  /**
   * Between breaks the difference of the costs bends one way only.
   * @param {(volume: number) => [number, number]} costs of A and of B
   * @param {number} low
   * @param {number} high
   * @param {number[]} [bends]
   * @param {number[]} [strides]
   * @returns {number[]}
   */
  function crossings(costs, low, high, bends = [], strides = []) {
    const steps = [];
    for (const stride of strides) {
      if (!(stride * MOST_STEPS >= high)) throw new RangeError(`stride: ${stride} is too short`);
      for (let n = 1; n < Math.ceil(high / stride); n += 1) steps.push(stride * n);
    }
    const sides = [...bends, ...steps].flatMap((at) => [at * (1 - JUST_BESIDE), at * (1 + JUST_BESIDE)]);
    const edges = [...new Set([low, high, ...sides.filter((edge) => low < edge && edge < high)])];
    const points = edges.sort((a, b) => a - b).map((edge) => /** @type {Point} */ ([edge, ...costs(edge)]));
    return points.slice(1).flatMap((right, k) => signChanges(costs, points[k], right));
  }

  /**
   * @param {(volume: number) => [number, number]} costs
   * @param {Point} left
   * @param {Point} right
   * @returns {number[]}
   */
  function signChanges(costs, left, right) {
    if (lead(left) > 0 !== lead(right) > 0) return [firstAfter(costs, left, right)];
    const at = (left[0] + right[0]) / 2;
    if (!(left[0] < at && at < right[0])) return [];
    /** @type {Point} */
    const middle = [at, ...costs(at)];
    if (lead(middle) > 0 !== lead(left) > 0) {
      return [firstAfter(costs, left, middle), firstAfter(costs, middle, right)];
    }
    // A curve that bends one way stays beyond the chord of either half, prolonged into the other half.
    const rounding = ROUNDING * Math.max(Math.abs(left[1]), Math.abs(middle[1]), Math.abs(right[1]));
    const found = [];
    if (2 * Math.abs(lead(middle)) - Math.abs(lead(right)) < -rounding) {
      found.push(...signChanges(costs, left, middle));
    }
    if (2 * Math.abs(lead(middle)) - Math.abs(lead(left)) < -rounding) {
      found.push(...signChanges(costs, middle, right));
    }
    return found;
  }

  /**
   * Bisection, after two guesses on both sides of where a straight line would cross.
   * @param {(volume: number) => [number, number]} costs
   * @param {Point} left
   * @param {Point} right
   * @returns {number}
   */
  function firstAfter(costs, left, right) {
    const positive = lead(left) > 0;
    /** @type {(at: number) => void} */
    const narrow = (at) => {
      if (!(left[0] < at && at < right[0])) return;
      /** @type {Point} */
      const point = [at, ...costs(at)];
      if (lead(point) > 0 === positive) left = point;
      else right = point;
    };
    for (const beside of [1e-6, 1e-12]) {
      const guess = left[0] + (right[0] - left[0]) * (lead(left) / (lead(left) - lead(right)));
      narrow(guess * (1 - beside));
      narrow(guess * (1 + beside));
    }
    for (;;) {
      const middle = (left[0] + right[0]) / 2;
      if (!(left[0] < middle && middle < right[0])) return right[0];
      narrow(middle);
    }
  }

  globalThis.ragvsftCrossings = crossings;
})();
