"""Exports architectures of timm with seeded random weights, of 10 classes, and what they give of small pictures.

    pip install torch timm safetensors
    python pictures.py FOLDER [name ...]

The files are those of `export.py`, for `run.ts`. Most take pictures of 64²; a model that does not is given the
smallest of 96², 128² and its own size that it takes.
"""
import json, sys, time
from pathlib import Path

import timm
import torch
from safetensors.torch import save_file

from export import VERSIONS, nest, random_weights, store

NAMES = """
bat_resnext26ts beit_base_patch16_224 beitv2_base_patch16_224 botnet26t_256 cait_xxs24_224 coat_lite_tiny coat_tiny
coatnet_nano_rw_224 convit_tiny convmixer_768_32 convnext_atto convnextv2_atto crossvit_9_dagger_240 crossvit_tiny_240
cs3darknet_s cspdarknet53 cspresnext50 davit_tiny deit3_small_patch16_224 deit_tiny_distilled_patch16_224
deit_tiny_patch16_224 densenet121 densenetblur121d dla46_c dpn68 eca_botnext26ts_256 eca_halonext26ts
edgenext_xx_small efficientformer_l1 efficientformerv2_s0 eva02_tiny_patch14_224 eva02_tiny_patch14_336 fastvit_mci0
fastvit_t8 flexivit_small focalnet_tiny_srf gcresnext26ts gcvit_xxtiny gernet_s ghostnet_050 ghostnetv2_100
ghostnetv3_050 gmixer_12_224 gmlp_ti16_224 halonet26t haloregnetz_b hardcorenas_a hgnet_tiny hgnetv2_b0 hiera_tiny_224
hieradet_small hrnet_w18_small iformer_t inception_next_atto inception_resnet_v2 inception_v4 lambda_resnet26rpt_256
lambda_resnet26t lamhalobotnet50ts_256 lcnet_050 legacy_seresnet18 levit_128s levit_conv_128s lowformer_b0
mambaout_femto maxvit_nano_rw_256 maxxvit_rmlp_nano_rw_256 mixer_s32_224 mixnet_s mnasnet_small mobilenetv1_100
mobilenetv2_035 mobilenetv3_small_050 mobilenetv4_conv_small_035 mobileone_s0 mobilevit_xxs mobilevitv2_050
mvitv2_tiny naflexvit_base_patch16_gap nest_tiny nextvit_small nf_regnet_b0 nf_resnet26 nfnet_l0 pit_ti_224
pit_ti_distilled_224 poolformer_s12 poolformerv2_s12 pvt_v2_b0 rdnet_tiny regnetx_002 regnety_002 regnetz_005
repghostnet_050 repvgg_a0 repvit_m0_9 res2net50_14w_8s res2next50 resmlp_12_224 resnest14d resnet10t resnet26t
resnet51q resnetaa34d resnetblur18 resnetrs50 resnetv2_18 resnext26ts rexnet_100 sebotnet33ts_256 sequencer2d_s
swin_tiny_patch4_window7_224 swinv2_cr_tiny_ns_224 swinv2_tiny_window8_256 tnt_s_legacy_patch16_224 tnt_s_patch16_224
twins_pcpvt_small twins_svt_small visformer_tiny vit_dlittle_patch16_reg1_gap_256 vit_little_patch16_reg4_gap_256
vit_relpos_small_patch16_224 vit_relpos_small_patch16_rpn_224 vit_small_patch16_rope_224 vit_srelpos_small_patch16_224
vit_tiny_patch16_224 vit_wee_patch16_reg1_gap_256 volo_d1_224 xcit_nano_12_p16_224
""".split()


def make(name):
    """A model, and the size of its pictures."""
    for options, size in [({"img_size": 64}, 64), ({"img_size": 96}, 96), ({"img_size": 128}, 128), ({}, 64), ({}, 128), ({}, None)]:
        torch.manual_seed(0)
        try:
            model = timm.create_model(name, pretrained=False, num_classes=10, **options).eval()
            size = size or model.default_cfg["input_size"][-1]
            with torch.no_grad():
                model(torch.rand(2, 3, size, size))
        except Exception:
            continue
        return model, size
    raise SystemExit(f"{name} takes no size")


def run(folder, name, dynamic):
    model, size = make(name)
    random_weights(model)
    torch.manual_seed(1)
    x = torch.rand(2, 3, size, size)
    stem = folder / f"{name}-{'dynamic' if dynamic else 'static'}"
    with torch.no_grad():
        shapes = ({0: torch.export.Dim.DYNAMIC},) if dynamic else None
        torch.export.save(torch.export.export(model, (x,), dynamic_shapes=shapes), f"{stem}.pt2")
        if dynamic:
            x = torch.cat([x, x[:1].flip(-1)])
        output = model(x)
    inside, outside = [], []
    nested = {"args": nest([x], inside), "kwargs": {}, "output": nest(output, outside)}
    Path(f"{stem}.json").write_text(json.dumps(nested | {"versions": VERSIONS}))
    save_file(store(inside, "in") | store(outside, "out"), f"{stem}.safetensors")


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:] or NAMES:
        for dynamic in (False, True):
            begin = time.time()
            run(folder, name, dynamic)
            print(name, "dynamic" if dynamic else "static", f"{time.time() - begin:.1f} s", flush=True)
