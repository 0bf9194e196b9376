"""A small BertModel of Hugging Face's transformers with seeded random weights, and what it gives.

pip install torch transformers safetensors; python spec/oracle/bert.py FOLDER
writes FOLDER/bert-small.safetensors (the model's state_dict) and FOLDER/bert-small.golden.npz.
"""
import sys

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertModel

config = BertConfig(
    vocab_size=50,
    hidden_size=24,
    num_hidden_layers=2,
    num_attention_heads=3,
    intermediate_size=40,
    max_position_embeddings=16,
    layer_norm_eps=1e-12,
    attn_implementation="eager",
)
torch.manual_seed(0)
model = BertModel(config).eval()
with torch.no_grad():
    for parameter in model.parameters():
        parameter.normal_(0, 0.3)
ids = torch.randint(1, 50, (3, 9))
mask = torch.ones_like(ids)
mask[1, 5:] = 0
mask[2, 1:] = 0
with torch.no_grad():
    output = model(ids * mask, attention_mask=mask)

state = {key: value.contiguous() for key, value in model.state_dict().items()}
# Older checkpoints, such as all-MiniLM-L6-v2's, carry this buffer.
state["embeddings.position_ids"] = torch.arange(16)[None]
save_file(state, f"{sys.argv[1]}/bert-small.safetensors", metadata={"format": "pt"})
np.savez(
    f"{sys.argv[1]}/bert-small.golden.npz",
    input_ids=(ids * mask).int().numpy(),
    attention_mask=mask.int().numpy(),
    last_hidden_state=output.last_hidden_state.numpy(),
    pooler_output=output.pooler_output.numpy(),
)
