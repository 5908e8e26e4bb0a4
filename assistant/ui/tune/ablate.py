def ablation_section(*a, **k):
    pass
