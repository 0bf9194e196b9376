"""How PyTorch rounds to the halves: bits of float32s, and of what .half() and .bfloat16() make of them."""

import json
import pathlib

import torch

torch.manual_seed(0)
edges = [0x00000000, 0x00000001, 0x32FFFFFF, 0x33000000, 0x33000001, 0x337FFFFF, 0x33800000]
edges += [0x33BFFFFF, 0x33C00000, 0x33C00001, 0x387FC000, 0x387FDFFF, 0x387FE000, 0x387FE001]
edges += [0x387FFFFF, 0x38800000, 0x3F800000, 0x3F801000, 0x3F801001, 0x3F803000, 0x477FDFFF]
edges += [0x477FEFFF, 0x477FF000, 0x47800000, 0x7F7F7FFF, 0x7F7F8000, 0x7F7FFFFF, 0x7F800000]
edges += [0x7FC00000, 0x3F808000, 0x3F818000, 0x3F808001, 0x00008000, 0x00018000, 0x007FFFFF]
bits = torch.tensor(edges, dtype=torch.int64)
# Every exponent, with fractions at random and halfway between two halves.
exponents = torch.arange(255, dtype=torch.int64) << 23
fractions = torch.randint(0, 1 << 23, (3, 255))
ties = torch.randint(0, 1 << 10, (255,)) << 13 | 0x1000
wide_ties = torch.randint(0, 1 << 7, (255,)) << 16 | 0x8000
bits = torch.cat([bits, *(exponents | row for row in [*fractions, ties, wide_ties])])
bits = torch.cat([bits, bits | 0x80000000])
floats = torch.where(bits >= 1 << 31, bits - (1 << 32), bits).to(torch.int32).view(torch.float32)


def unsigned(halves):
    return (halves.view(torch.int16).to(torch.int64) & 0xFFFF).tolist()


doubles = [1 + 2**-11 + 2**-40, 1 + 2**-11 - 2**-40, 65519.999999999, 2**-25 * (1 + 2**-40)]
golden = {
    "float32": bits.tolist(),
    "float16": unsigned(floats.half()),
    "bfloat16": unsigned(floats.bfloat16()),
    "doubles": doubles,
    "doublesAsFloat16": unsigned(torch.tensor(doubles, dtype=torch.float64).half()),
}
path = pathlib.Path(__file__).parent.parent / "goldens" / "halves.json"
path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
