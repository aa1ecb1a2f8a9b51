"""Shapes of bodies: skeletons and meshes from files of one body each, as Neuroglancer shows them."""


class BadShape(ValueError):
    """Why a file is no skeleton or mesh, as a part of a sentence. It quotes nothing of what is in the file."""
