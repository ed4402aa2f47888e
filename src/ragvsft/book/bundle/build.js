// @ts-check
// Writes ../static/vendor: Vega and MiniSearch as classic scripts, Vega's transforms, the text font's letters, and their licences.
import {existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {gzipSync} from 'node:zlib';
import {build} from 'esbuild';
import subsetFont from 'subset-font';

const here = dirname(fileURLToPath(import.meta.url));
const packages = join(here, '../../../../node_modules');
const vendor = join(here, '../static/vendor');
const font = '@fontsource/source-serif-4';
const faces = ['400-normal', '400-italic', '600-normal'];
const range = (first, last) => String.fromCharCode(...Array.from({length: last - first + 1}, (_, k) => first + k));
// What the book's words are set in: English, accented names, its punctuation. Any other sign comes from the next family.
const letters = `${range(0x20, 0x7e)}${range(0xc0, 0xff)}\u00a0£§°±·–—‘’“”•…€→−′`;

// Vega's published packages each contain a copy of the others: bundle their sources, so that each is sent once.
const vegaSources = {
  name: 'vega-sources',
  setup({onResolve}) {
    onResolve({filter: /^vega-/}, ({path}) => {
      const entries = ['index.browser.js', 'index.js'].map(file => join(packages, path, file));
      return {path: entries.find(existsSync)};
    });
  }
};

function bundle(entry, globalName) {
  return build({
    entryPoints: [join(here, `${entry}.js`)],
    bundle: true,
    minify: true,
    format: 'iife',
    globalName,
    target: 'es2020',
    legalComments: 'none',
    tsconfigRaw: {},
    metafile: true,
    write: false,
    outfile: `${entry}.min.js`,
    absWorkingDir: packages,
    nodePaths: [packages],
    plugins: [vegaSources]
  });
}

const vega = await bundle('vega', 'ragvsftVega');
const search = await bundle('minisearch', 'ragvsftMiniSearch');
const [script, searchScript] = [vega, search].map(built => built.outputFiles[0]);

const inputs = [vega, search].flatMap(built => Object.keys(built.metafile.inputs));
const contained = [...new Set(inputs.map(path => path.split('/')[0]))]
  .filter(name => name !== '..' && existsSync(join(packages, name, 'package.json')))
  .sort();

function licence(name) {
  const {version, license, homepage} = JSON.parse(readFileSync(join(packages, name, 'package.json'), 'utf8'));
  const file = readdirSync(join(packages, name)).find(entry => /^licen[cs]e/i.test(entry));
  const text = file ? readFileSync(join(packages, name, file), 'utf8').trim() : `${license}, ${homepage}`;
  return `${name} ${version}\n\n${text}\n`;
}

const names = new Function(`${script.text}; return ragvsftVega.transformNames`)();

mkdirSync(vendor, {recursive: true});
writeFileSync(join(vendor, 'vega.min.js'), script.text);
writeFileSync(join(vendor, 'minisearch.min.js'), searchScript.text);
writeFileSync(join(vendor, 'vega.transforms.json'), JSON.stringify(names, null, 1) + '\n');
writeFileSync(join(vendor, 'LICENCES.txt'), [...contained, font].map(licence).join(`\n${'-'.repeat(80)}\n\n`));
for (const face of faces) {
  const whole = readFileSync(join(packages, font, `files/source-serif-4-latin-${face}.woff2`));
  const subset = await subsetFont(whole, letters, {targetFormat: 'woff2', keepFeatures: ['kern', 'liga'], noHinting: true});
  writeFileSync(join(vendor, `serif-${face}.woff2`), subset);
  console.log(`serif-${face}.woff2: ${subset.length} of ${whole.length} bytes`);
}
const size = ({text}) => gzipSync(text).length;
console.log(`vega.min.js: ${names.length} transforms, ${contained.length} packages, ${size(script)} bytes gzipped`);
console.log(`minisearch.min.js: ${size(searchScript)} bytes gzipped`);
