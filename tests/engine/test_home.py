from comfyd.config import Config
from comfyd.engine import locate, managed


def test_a_home_has_the_real_comfyui_and_models_of_its_own(comfyd_home):
    engine = locate(Config(), comfyd_home)
    assert (engine.managed, engine.version) == (True, "0.30.0")
    assert engine.args == ("--base-directory", str(managed.user_directory(comfyd_home)))
    assert (managed.user_directory(comfyd_home) / "models/checkpoints").is_dir()
