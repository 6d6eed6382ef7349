"""Ray casting of simple scenes with numpy: what `src.data.scenes` is made of.

World frame: x right, y forward, z up, metres. Vectors are stored component first, [3 n], in float32.
"""
