"""Exported folders load in transformers, with equal outputs."""

import json

import numpy as np
import pytest
import zoo

import core
import hub


@pytest.mark.parametrize("name", zoo.CASES)
def test_transformers_loads_exported_folders(name, tmp_path):
    checkpoint = zoo.checkpoint(name)
    with core.backend.use("torch"):
        hub.models.Backbone.from_preset(checkpoint.folder).export_to_transformers(tmp_path)
    import transformers

    cls = transformers.AutoModel if name in zoo.ENCODERS else type(checkpoint.model)
    model, notes = cls.from_pretrained(tmp_path, output_loading_info=True, attn_implementation="eager")
    left_out = {k for k in notes["missing_keys"] if "pooler" not in k}  # RoBERTa's pooler is no part of its backbone
    assert not left_out and not notes["mismatched_keys"]
    assert all("lm_head" in key for key in notes["unexpected_keys"])
    for side in ("right", "left"):
        wanted, found = zoo.reference(name, side), zoo.outputs(model.eval(), zoo.inputs(name, side))
        for key in set(found) & set(wanted) - ({"pooled_output"} if "roberta" in name else set()):
            np.testing.assert_allclose(found[key], wanted[key], atol=1e-5)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["model_type"] == checkpoint.family and "hornbeam" not in config


def test_what_a_config_cannot_say_is_refused_by_name_and_saved_all_the_same(tmp_path):
    with core.backend.use("numpy"):
        backbone = hub.models.LlamaBackbone(20, 1, 2, 8, 12, 1, attention_soft_cap=5.0, dropout=0.5)
        with pytest.raises(core.saving.ConfigError, match="attention_soft_cap=5.0"):
            backbone.export_to_transformers(tmp_path / "export")
        assert not (tmp_path / "export").exists()
        backbone.save_to_preset(tmp_path / "preset")
        assert hub.models.Backbone.from_preset(tmp_path / "preset").config == backbone.config
