"""Programs and networks as volumes."""

import netc
from netc.compiler.pictures.scene import Scene
from netc.compiler.pictures.volumes import volumes

DECODER = """
block Dec(h; x, mem) {
  a = ( x -> ATTENTION(4) as own | x ) -> ADD -> LN
  b = ( ( a | mem | mem ) -> ATTENTION(4) as cross | a ) -> ADD -> LN
  ( b -> LINEAR(h) -> RELU -> LINEAR(64) as down | b ) -> ADD -> LN
}
t = INPUT(24x64, sequence) as query -> LINEAR(64) as start
s = INPUT(20x64, sequence) as source -> LINEAR(32) -> LINEAR(48) -> LINEAR(64) as mem
"""


def volumes_of(program: str, **choices: object) -> Scene:
    """The feature maps of a program, drawn."""
    return volumes(netc.compile(program).graph, **choices)  # type: ignore[arg-type]  # by name
