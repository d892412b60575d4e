"""KerasTuner's classes and hooks, over `tuner.Study`. Public as `tuner.Tuner`, `tuner.RandomSearch` and so on."""
