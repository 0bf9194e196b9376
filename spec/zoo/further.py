"""Further models than the ones of the bar, for `export.py`: small, with seeded random weights."""
import torch
import transformers as t

SMALL = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64)
TEXT = dict(vocab_size=99, **SMALL)

# The inputs whose second dimension is a length, which may change too.
SEQUENCES = {"input_ids", "attention_mask", "decoder_input_ids"}
# Except here: the scan is unrolled, one step for each token.
FIXED_LENGTH = {"mamba"}


def text(model, **more):
    ids = torch.randint(3, 90, (2, 12))
    mask = torch.ones_like(ids)
    mask[0, 8:] = 0
    return model, {"input_ids": ids, "attention_mask": mask, **more}


def causal(model):
    model.config.use_cache = False
    return text(model)


def seq2seq(model):
    model.config.use_cache = False
    return text(model, decoder_input_ids=torch.randint(3, 90, (2, 7)))


def picture(model, size=32):
    return model, {"pixel_values": torch.rand(2, 3, size, size)}


def both(model):
    return text(model, pixel_values=torch.rand(2, 3, 32, 32))


def torchvision(name, key="x", size=64, shape=None, **kwargs):
    from torchvision import models

    def build():
        model = models.get_model(name, weights=None, **kwargs)
        return Named(model, key), {key: torch.rand(*(shape or (2, 3, size, size)))}

    return build


class Named(torch.nn.Module):
    """A model whose one input has a name."""

    def __init__(self, model, key):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model(x)


def whisper():
    config = t.WhisperConfig(
        vocab_size=99, d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4,
        decoder_attention_heads=4, encoder_ffn_dim=64, decoder_ffn_dim=64, num_mel_bins=16,
        max_source_positions=24, max_target_positions=24, pad_token_id=0, bos_token_id=1, eos_token_id=2,
        decoder_start_token_id=1,
    )
    config.use_cache = False
    model = t.WhisperForConditionalGeneration(config)
    return model, {"input_features": torch.rand(2, 16, 48), "decoder_input_ids": torch.randint(3, 90, (2, 7))}


def hubert():
    config = t.HubertConfig(
        vocab_size=32, conv_dim=(16, 16), conv_stride=(5, 2), conv_kernel=(10, 3), num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=4, num_feat_extract_layers=2, **SMALL,
    )
    return t.HubertModel(config), {"input_values": torch.rand(2, 800)}


def clip(Model, Config):
    return both(Model(Config(
        text_config=dict(max_position_embeddings=32, projection_dim=16, **TEXT),
        vision_config=dict(image_size=32, patch_size=8, projection_dim=16, **SMALL),
    )))


def detr():
    config = t.DetrConfig(
        use_timm_backbone=False, use_pretrained_backbone=False, backbone=None,
        backbone_config=t.ResNetConfig(
            embedding_size=16, hidden_sizes=[16, 32], depths=[1, 1], out_features=["stage2"],
        ),
        d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4, decoder_attention_heads=4,
        encoder_ffn_dim=64, decoder_ffn_dim=64, num_queries=8,
    )
    return picture(t.DetrForObjectDetection(config), 64)


def sam():
    config = t.SamVisionConfig(
        image_size=64, patch_size=8, output_channels=16, global_attn_indexes=[1], window_size=3, mlp_ratio=2.0,
        num_pos_feats=8, **{key: SMALL[key] for key in ("hidden_size", "num_hidden_layers", "num_attention_heads")},
    )
    return picture(t.SamVisionModel(config), 64)


DECODER = dict(num_key_value_heads=2, **TEXT)
SEQ2SEQ = dict(
    vocab_size=99, d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4,
    decoder_attention_heads=4, encoder_ffn_dim=64, decoder_ffn_dim=64, max_position_embeddings=64,
    pad_token_id=1, eos_token_id=2, decoder_start_token_id=2,
)

MODELS = {
    "distilbert": lambda: text(t.DistilBertModel(t.DistilBertConfig(vocab_size=99, dim=32, n_layers=2, n_heads=4, hidden_dim=64))),
    "roberta": lambda: text(t.RobertaModel(t.RobertaConfig(**TEXT))),
    "xlm_roberta_classifier": lambda: text(t.XLMRobertaForSequenceClassification(t.XLMRobertaConfig(**TEXT))),
    "deberta_v2": lambda: text(t.DebertaV2Model(t.DebertaV2Config(
        relative_attention=True, position_biased_input=False, pos_att_type=["p2c", "c2p"], position_buckets=8,
        norm_rel_ebd="layer_norm", share_att_key=True, **TEXT))),
    "albert": lambda: text(t.AlbertModel(t.AlbertConfig(embedding_size=16, **TEXT))),
    "electra": lambda: text(t.ElectraForTokenClassification(t.ElectraConfig(embedding_size=16, **TEXT))),
    "mpnet": lambda: text(t.MPNetModel(t.MPNetConfig(**TEXT))),
    "modernbert": lambda: text(t.ModernBertModel(t.ModernBertConfig(pad_token_id=0, **TEXT))),
    "llama": lambda: causal(t.LlamaForCausalLM(t.LlamaConfig(**DECODER))),
    "mistral": lambda: causal(t.MistralForCausalLM(t.MistralConfig(sliding_window=4, **DECODER))),
    "mixtral": lambda: causal(t.MixtralForCausalLM(t.MixtralConfig(num_local_experts=4, num_experts_per_tok=2, **DECODER))),
    "qwen2_moe": lambda: causal(t.Qwen2MoeForCausalLM(t.Qwen2MoeConfig(
        num_experts=4, num_experts_per_tok=2, moe_intermediate_size=16, shared_expert_intermediate_size=16, **DECODER))),
    "qwen2": lambda: causal(t.Qwen2ForCausalLM(t.Qwen2Config(**DECODER))),
    "qwen3": lambda: causal(t.Qwen3ForCausalLM(t.Qwen3Config(head_dim=8, **DECODER))),
    "gemma2": lambda: causal(t.Gemma2ForCausalLM(t.Gemma2Config(head_dim=8, **DECODER))),
    "phi": lambda: causal(t.PhiForCausalLM(t.PhiConfig(**TEXT))),
    "opt": lambda: causal(t.OPTForCausalLM(t.OPTConfig(
        vocab_size=99, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, ffn_dim=64, word_embed_proj_dim=32))),
    "bloom": lambda: causal(t.BloomForCausalLM(t.BloomConfig(vocab_size=99, hidden_size=32, n_layer=2, n_head=4))),
    "gpt_neox": lambda: causal(t.GPTNeoXForCausalLM(t.GPTNeoXConfig(**TEXT))),
    "mamba": lambda: causal(t.MambaForCausalLM(t.MambaConfig(
        vocab_size=99, hidden_size=32, num_hidden_layers=2, state_size=8))),
    "bart": lambda: seq2seq(t.BartForConditionalGeneration(t.BartConfig(**SEQ2SEQ))),
    "marian": lambda: seq2seq(t.MarianMTModel(t.MarianConfig(**SEQ2SEQ))),
    "whisper": whisper,
    "hubert": hubert,
    "clip": lambda: clip(t.CLIPModel, t.CLIPConfig),
    "siglip": lambda: clip(t.SiglipModel, t.SiglipConfig),
    "detr": detr,
    "sam_encoder": sam,
    "segformer": lambda: picture(t.SegformerForSemanticSegmentation(t.SegformerConfig(
        depths=[1, 1, 1, 1], hidden_sizes=[8, 16, 16, 32], num_attention_heads=[1, 2, 2, 4], decoder_hidden_size=32)), 64),
    "convnextv2": lambda: picture(t.ConvNextV2Model(t.ConvNextV2Config(hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 2, 1])), 64),
    "swinv2": lambda: picture(t.Swinv2Model(t.Swinv2Config(
        image_size=32, patch_size=2, embed_dim=16, depths=[2, 2], num_heads=[2, 4], window_size=4))),
    "mobilevit": lambda: picture(t.MobileViTModel(t.MobileViTConfig(
        image_size=64, hidden_sizes=[16, 24, 32], neck_hidden_sizes=[8, 8, 16, 16, 24, 32, 48])), 64),
    "dinov2": lambda: picture(t.Dinov2Model(t.Dinov2Config(image_size=32, patch_size=8, **SMALL)), 48),
    "beit": lambda: picture(t.BeitModel(t.BeitConfig(image_size=32, patch_size=8, use_relative_position_bias=True, **SMALL))),
    "videomae": lambda: (t.VideoMAEModel(t.VideoMAEConfig(image_size=32, patch_size=8, num_frames=4, **SMALL)),
                         {"pixel_values": torch.rand(2, 4, 3, 32, 32)}),
    "efficientnet_b1": torchvision("efficientnet_b1"),
    "convnext_small": torchvision("convnext_small"),
    "regnet_x_400mf": torchvision("regnet_x_400mf"),
    "mnasnet1_3": torchvision("mnasnet1_3"),
    "vgg11": torchvision("vgg11", size=32),
    "shufflenet_v2_x1_0": torchvision("shufflenet_v2_x1_0"),
    "deeplabv3_resnet50": torchvision("deeplabv3_resnet50", weights_backbone=None),
    "mc3_18": torchvision("mc3_18", shape=(2, 3, 4, 32, 32)),
    "r2plus1d_18": torchvision("r2plus1d_18", shape=(2, 3, 4, 32, 32)),
    "mvit_v2_s": torchvision("mvit_v2_s", shape=(2, 3, 16, 224, 224)),
    "s3d": torchvision("s3d", shape=(2, 3, 16, 224, 224)),
}
