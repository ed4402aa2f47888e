"""The format adapter of the experiment, for Unsloth: python unsloth_sft.py, on a GPU.

Data: python experiments/tuning/recipes/export.py > examples.jsonl
"""

from datasets import load_dataset
from trl import SFTConfig, SFTTrainer
from unsloth import FastLanguageModel

model, tokenizer = FastLanguageModel.from_pretrained(
    model_name="HuggingFaceTB/SmolLM2-135M-Instruct",
    max_seq_length=1024,
    load_in_4bit=False,  # True for QLoRA
    load_in_16bit=True,
)
model = FastLanguageModel.get_peft_model(
    model,
    r=8,
    lora_alpha=16,
    target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
    random_state=101,
)
trainer = SFTTrainer(
    model=model,
    processing_class=tokenizer,
    train_dataset=load_dataset("json", data_files="examples.jsonl", split="train").select_columns(
        ["prompt", "completion"]
    ),
    args=SFTConfig(
        output_dir="adapter",
        max_length=1024,
        completion_only_loss=True,
        learning_rate=2e-3,
        lr_scheduler_type="linear",
        warmup_steps=0.1,
        optim="adamw_torch",
        weight_decay=0.0,
        max_grad_norm=1.0,
        per_device_train_batch_size=4,
        gradient_accumulation_steps=1,
        num_train_epochs=1,
        seed=101,
    ),
)
trainer.train()
model.save_pretrained("adapter")
