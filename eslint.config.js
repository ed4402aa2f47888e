// @ts-check
import js from '@eslint/js';
import globals from 'globals';

export default [
  {ignores: ['_build/', '.venv/', 'src/ragvsft/book/static/vendor/']},
  js.configs.recommended,
  {
    files: ['src/ragvsft/widgets/**/*.js', 'src/ragvsft/book/static/*.js'],
    languageOptions: {sourceType: 'script', globals: {...globals.browser, ragvsftCrossings: 'writable'}},
    rules: {
      'no-unused-vars': ['error', {argsIgnorePattern: '^_'}],
      'strict': ['error', 'function'],
      'eqeqeq': ['error', 'always', {null: 'ignore'}],
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'no-new-func': 'error',
      'no-var': 'error',
      'prefer-const': 'error'
    }
  },
  {files: ['*.js', 'src/ragvsft/book/bundle/*.js'], languageOptions: {globals: globals.node}}
];
