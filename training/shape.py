"""The sizes of the model and its special tokens, shared by training, export and serving."""

WIDTH = 128
LAYERS = 4
HEADS = 4
HEAD_WIDTH = WIDTH // HEADS
HIDDEN = 256
VOCABULARY = 1536
CONTEXT = 512
EPSILON = 1e-5
ROPE_BASE = 10000.0

SPECIAL_TOKENS = ("<pad>", "<eos>", "<user>", "<assistant>", "<system>")
PAD, EOS, USER, ASSISTANT, SYSTEM = range(len(SPECIAL_TOKENS))
