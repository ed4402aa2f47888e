// @ts-check
// all-MiniLM-L6-v2 in plain JavaScript over weights of eight bits: a worker that embeds a question and scores passages.
// retrieval/pipeline/int8.py makes the files; a test compares vectors and ranks with Python's.
(() => {
  "use strict";

  const HEADS = 12;
  const LAYERS = 6;
  const EPSILON = 1e-12;
  const MAX_TOKENS = 256;
  const LONGEST_WORD = 100;
  const SPECIAL = /(\[(?:PAD|UNK|CLS|SEP|MASK)\])/;

  // A safetensors file: 8 bytes of header length, a JSON header, then the raw numbers.
  function safetensors(buffer) {
    const size = Number(new DataView(buffer).getBigUint64(0, true));
    const { __metadata__: metadata, ...entries } = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, size)));
    const arrays = {};
    for (const [name, { dtype, shape, data_offsets: [start, end] }] of Object.entries(entries)) {
      const Kind = dtype === "I8" ? Int8Array : Float32Array;
      arrays[name] = { shape, numbers: new Kind(buffer, 8 + size + start, (end - start) / Kind.BYTES_PER_ELEMENT) };
    }
    return { metadata, arrays };
  }

  // The tokeniser of BERT: clean, one space around each CJK character, no accents, lower case; then the longest pieces.

  const CJK = /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu;
  const PIECES = /[!-/:-@[-`{-~]|\p{P}|[^\s!-/:-@[-`{-~\p{P}]+/gu;

  function normalised(text) {
    const clean = text.replace(/[\t\n\r\p{White_Space}]/gu, " ").replace(/[\p{C}\ufffd]/gu, "");
    const bare = clean.replace(CJK, " $& ").normalize("NFD").replace(/\p{Mn}/gu, "");
    return Array.from(bare, (character) => character.toLowerCase()).join("");
  }

  function tokeniser(vocabulary) {
    const known = new Map(vocabulary.map((piece, id) => [piece, id]));
    const id = (piece) => /** @type {number} */ (known.get(piece));

    function pieces(word) {
      const characters = Array.from(word);
      if (characters.length > LONGEST_WORD) return [id("[UNK]")];
      const found = [];
      for (let start = 0, end; start < characters.length; start = end) {
        end = characters.length;
        const piece = () => (start ? "##" : "") + characters.slice(start, end).join("");
        while (end > start && !known.has(piece())) end -= 1;
        if (end === start) return [id("[UNK]")];
        found.push(id(piece()));
      }
      return found;
    }

    return (text) => text.split(SPECIAL).flatMap((part, k) =>
      k % 2 ? [id(part)] : (normalised(part).match(PIECES) ?? []).flatMap(pieces));
  }

  // The encoder. A text's states are `length` rows of numbers, one after the other.

  function erf(x) {
    const t = 1 / (1 + 0.3275911 * Math.abs(x));
    const sum = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
    return Math.sign(x) * (1 - sum * Math.exp(-x * x));
  }

  function encoder(arrays) {
    const floats = (name) => arrays[name].numbers;

    function row(name, at, into) {
      const { shape: [, width], numbers } = arrays[name];
      const scale = floats(`${name}.scale`)[at];
      for (let k = 0, from = at * width; k < width; k += 1) into[k] = numbers[from + k] * scale;
      return into;
    }

    // Each row of the matrix is unpacked once and meets four texts' rows at a time.
    function linear(x, length, name) {
      const { shape: [height, width] } = arrays[`${name}.weight`];
      const bias = floats(`${name}.bias`);
      const weights = new Float32Array(width);
      const y = new Float32Array(length * height);
      for (let out = 0; out < height; out += 1) {
        row(`${name}.weight`, out, weights);
        let at = 0;
        for (; at + 3 < length; at += 4) {
          const [a, b, c, d] = [at * width, (at + 1) * width, (at + 2) * width, (at + 3) * width];
          let [p, q, r, s] = [0, 0, 0, 0];
          for (let k = 0; k < width; k += 1) {
            const weight = weights[k];
            p += weight * x[a + k];
            q += weight * x[b + k];
            r += weight * x[c + k];
            s += weight * x[d + k];
          }
          y[at * height + out] = p + bias[out];
          y[(at + 1) * height + out] = q + bias[out];
          y[(at + 2) * height + out] = r + bias[out];
          y[(at + 3) * height + out] = s + bias[out];
        }
        for (; at < length; at += 1) {
          let sum = 0;
          for (let k = 0; k < width; k += 1) sum += weights[k] * x[at * width + k];
          y[at * height + out] = sum + bias[out];
        }
      }
      return y;
    }

    function norm(x, name) {
      const [weight, bias] = [floats(`${name}.weight`), floats(`${name}.bias`)];
      const width = weight.length;
      for (let from = 0; from < x.length; from += width) {
        let mean = 0;
        for (let k = 0; k < width; k += 1) mean += x[from + k] / width;
        let variance = 0;
        for (let k = 0; k < width; k += 1) variance += (x[from + k] - mean) ** 2 / width;
        const deviation = Math.sqrt(variance + EPSILON);
        for (let k = 0; k < width; k += 1) x[from + k] = ((x[from + k] - mean) / deviation) * weight[k] + bias[k];
      }
      return x;
    }

    function attention(x, length, name) {
      const [query, key, value] = ["query", "key", "value"].map((part) => linear(x, length, `${name}.self.${part}`));
      const width = query.length / length;
      const size = width / HEADS;
      const mixed = new Float32Array(query.length);
      const shares = new Float64Array(length);
      for (let head = 0; head < HEADS; head += 1) {
        for (let at = 0; at < length; at += 1) {
          const from = at * width + head * size;
          let top = -Infinity;
          for (let other = 0; other < length; other += 1) {
            const to = other * width + head * size;
            let product = 0;
            for (let k = 0; k < size; k += 1) product += query[from + k] * key[to + k];
            shares[other] = product / Math.sqrt(size);
            top = Math.max(top, shares[other]);
          }
          let sum = 0;
          for (let other = 0; other < length; other += 1) sum += shares[other] = Math.exp(shares[other] - top);
          for (let other = 0; other < length; other += 1) {
            const share = shares[other] / sum;
            const to = other * width + head * size;
            for (let k = 0; k < size; k += 1) mixed[from + k] += share * value[to + k];
          }
        }
      }
      return linear(mixed, length, `${name}.output.dense`);
    }

    const sum = (x, y) => x.map((number, k) => number + y[k]);

    /** The unit vector of a text: the mean of its last states. */
    return function embed(ids) {
      const width = arrays["embeddings.word_embeddings.weight"].shape[1];
      const length = ids.length;
      let x = new Float32Array(length * width);
      const [word, place, segment] = [1, 2, 3].map(() => new Float32Array(width));
      row("embeddings.token_type_embeddings.weight", 0, segment);
      ids.forEach((id, at) => {
        row("embeddings.word_embeddings.weight", id, word);
        row("embeddings.position_embeddings.weight", at, place);
        for (let k = 0; k < width; k += 1) x[at * width + k] = word[k] + place[k] + segment[k];
      });
      norm(x, "embeddings.LayerNorm");
      for (let layer = 0; layer < LAYERS; layer += 1) {
        const name = `encoder.layer.${layer}`;
        x = norm(sum(x, attention(x, length, `${name}.attention`)), `${name}.attention.output.LayerNorm`);
        const hidden = linear(x, length, `${name}.intermediate.dense`).map((h) => 0.5 * h * (1 + erf(h * Math.SQRT1_2)));
        x = norm(sum(x, linear(hidden, length, `${name}.output.dense`)), `${name}.output.LayerNorm`);
      }
      const mean = new Float32Array(width);
      x.forEach((number, k) => { mean[k % width] += number / length; });
      const size = Math.hypot(...mean);
      return mean.map((number) => number / size);
    };
  }

  /** The model of a file and the vectors of another: what a question costs to embed, and how near each passage is. */
  function searcher(model, passages) {
    const { metadata, arrays } = safetensors(model);
    const vocabulary = metadata.vocabulary.split("\n");
    const [tokens, embed] = [tokeniser(vocabulary), encoder(arrays)];
    const [first, last] = [vocabulary.indexOf("[CLS]"), vocabulary.indexOf("[SEP]")];
    const { vectors, "vectors.scale": scales } = safetensors(passages).arrays;
    const [count, width] = vectors.shape;

    return function search(text) {
      const times = [performance.now()];
      const pieces = tokens(text);
      const ids = [first, ...pieces.slice(0, MAX_TOKENS - 2), last];
      times.push(performance.now());
      const vector = embed(ids);
      times.push(performance.now());
      const scores = new Float32Array(count);
      for (let passage = 0; passage < count; passage += 1) {
        let product = 0;
        for (let k = 0; k < width; k += 1) product += vectors.numbers[passage * width + k] * vector[k];
        scores[passage] = product * scales.numbers[passage];
      }
      times.push(performance.now());
      const [tokenise, embedding, nearest] = times.slice(1).map((time, k) => time - times[k]);
      return { scores, vector, ids, tokens: pieces.length, ms: { tokenise, embed: embedding, search: nearest } };
    };
  }

  // Files come compressed by gzip; a server may have unpacked them on the way.
  async function unpacked(bytes) {
    if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes.buffer;
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  }

  async function loaded(address, progress) {
    const response = await fetch(address);
    if (!response.ok || !response.body) throw new Error(`${new URL(address).pathname}: the server answered ${response.status}`);
    const parts = [];
    for (const reader = response.body.getReader(); ;) {
      const { done, value } = await reader.read();
      if (done) return unpacked(new Uint8Array(await new Blob(parts).arrayBuffer()));
      parts.push(value);
      progress(value.length);
    }
  }

  globalThis.ragvsftMiniLM = { searcher, unpacked };
  if (typeof document !== "undefined" || typeof self === "undefined") return;

  let search;
  self.onmessage = async ({ data }) => {
    try {
      if (data.load) {
        const start = performance.now();
        let bytes = 0;
        const progress = (more) => self.postMessage({ bytes: (bytes += more) });
        search = searcher(...await Promise.all([loaded(data.load.model, progress), loaded(data.load.vectors, progress)]));
        self.postMessage({ ready: performance.now() - start });
      } else {
        const { scores, tokens, ms } = search(data.query);
        self.postMessage({ scores, tokens, ms });
      }
    } catch (error) {
      self.postMessage({ error: error.message });
    }
  };
})();
