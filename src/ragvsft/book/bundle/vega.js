// @ts-check
// The Vega of the book: no Vega-Lite, no maps, graphs, trees or regressions, no eval.
import {transforms} from 'vega-dataflow';
import * as encoders from 'vega-encode';
import * as dataTransforms from 'vega-transforms';
import * as viewTransforms from 'vega-view-transforms';

Object.assign(transforms, dataTransforms, viewTransforms, encoders);

export {expressionInterpreter} from 'vega-interpreter';
export {parse} from 'vega-parser';
export {View} from 'vega-view';
export const transformNames = Object.keys(transforms).sort();
