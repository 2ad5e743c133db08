"""A workflow that was given, as a request."""

from comfyd.protocol import PlanRequest, Submit
from comfyd.workflow import Document

GIVEN = Document(name="flow", api={"1": {}}, ui={"nodes": []}, aliases={"sky": "1.text"}, note="or else")


def test_what_is_asked_is_about_the_whole_workflow() -> None:
    assert GIVEN.request(Submit, words=["sky", "grey"], follow=False) == Submit(
        api={"1": {}}, ui={"nodes": []}, workflow="flow", aliases={"sky": "1.text"}, words=["sky", "grey"], follow=False
    )
    assert isinstance(GIVEN.request(PlanRequest), PlanRequest)
