"""The recipes: how each family of models is fitted, at what cost, over which space."""
