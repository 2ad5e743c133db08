"""The command nodes against the fake engine's catalogue."""

from .conftest import Shell


def test_a_list_a_page_and_a_near_miss(shell: Shell) -> None:
    listed = shell.run("nodes")
    assert listed.status == 0
    names = [line.split()[0] for line in listed.out.splitlines()[1:]]
    assert "KSampler" in names
    page = shell.run("nodes", "KSampler").out.splitlines()
    assert page[0] == "KSampler"
    assert [line for line in page if line.startswith("  seed ")]
    missed = shell.run("nodes", "KSamplr")
    assert (missed.status, missed.out) == (2, "")
    assert "did you mean 'KSampler'" in missed.err


def test_json_has_the_catalogues_own_entry(shell: Shell) -> None:
    (node,) = shell.run("nodes", "KSampler", "--json").messages[0]["nodes"]
    assert node["name"] == "KSampler"
    assert "seed" in node["input"]["required"]
