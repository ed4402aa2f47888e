// @ts-check
// The search of the book, as one classic script: it works from a folder too.
export {default as MiniSearch} from 'minisearch';
