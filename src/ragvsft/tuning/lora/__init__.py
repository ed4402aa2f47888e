"""A small language model with adapters, in a world of invented facts: no torch, one engine (llama.cpp).

`world` invents the facts, `prompts` asks about them, `adapters` writes what was trained in llama.cpp's form,
`answering` runs the model, `scoring` marks its answers. Training stands in `experiments/tuning/`.
"""
