"""The dashboard in a real browser: what names and scripts on it may do."""

from __future__ import annotations

import pytest
from support import Workspace
from support.dashboards import CAMPAIGN_NAMES, OpenPage, loaded

from pipelines.dashboard.page import render
from sources.simulator import SimulatedSpace

SCRIPT = "<script>alert(1)</script>"


class TestSafety:
    """Names are chosen by the companies that register campaigns."""

    def test_what_looks_like_a_script_is_shown_as_it_is(
        self, space: SimulatedSpace, any_workspace: Workspace, open_page: OpenPage
    ) -> None:
        brand, campaign, record = space.world.truth_orders()[0]
        nasty = f"</script></td>{SCRIPT}\u2028'\"&amp;"
        space.world.update_brand(brand, name=SCRIPT)
        space.world.update_campaign(campaign, name=nasty, sms_use_case="<b>2FA")
        space.world.update_order(record["id"], state="<img src=x onerror=alert(2)>")
        space.clock.advance(90 * 86400)
        any_workspace.run(space)
        page = open_page()
        assert nasty in page.texts(CAMPAIGN_NAMES)
        assert SCRIPT in page.texts("#campaigns tbody td:nth-child(2)")
        assert "<b>2FA" in page.texts("#campaigns tbody td:nth-child(3)")
        assert "<img src=x onerror=alert(2)>" in page.texts("#stuck tbody td:nth-child(4)")
        assert page.run("document.querySelectorAll('script:not([type])').length") == 2
        assert page.complaints() == []

    def test_the_page_makes_no_network_requests(
        self, space: SimulatedSpace, workspace: Workspace, open_page: OpenPage
    ) -> None:
        workspace.run(space)
        before = len(space.journal.entries())
        page = open_page()
        for attempt in (
            f"fetch('{space.url}/api/relay/rest', {{mode: 'no-cors'}}).then(() => 1, () => 0)",
            "new Promise(done => { const image = new Image(); image.onload = image.onerror ="
            f" () => done(image.width); image.src = '{space.url}/api/relay/rest'; }})",
        ):
            assert page.run(attempt) == 0
        assert len(space.journal.entries()) == before
        refused = "".join(page.complaints())
        assert refused.count("Content Security Policy") >= 2
        assert {kind in refused for kind in ("connect-src", "img-src")} == {True}

    def test_the_page_runs_no_script_but_its_own(
        self, space: SimulatedSpace, workspace: Workspace, open_page: OpenPage
    ) -> None:
        workspace.run(space)
        html = render(loaded()).replace("</main>", f"{SCRIPT}<p onclick='alert(2)'>x</p></main>")
        page = open_page(html)
        page.click("main > p[onclick]")
        complaints = page.complaints()
        assert len(complaints) == 2
        assert all("Content Security Policy" in complaint for complaint in complaints)

    @pytest.mark.proof
    def test_it_stays_small_however_long_names_are(
        self, space: SimulatedSpace, workspace: Workspace, open_page: OpenPage
    ) -> None:
        workspace.run(space)
        small = len(render(loaded()).encode())
        for brand, campaign in space.world.truth_campaigns():
            space.world.update_brand(brand, name="'" * 5000)
            space.world.update_campaign(campaign["id"], name="<" * 5000)
        workspace.run(space)
        html = render(loaded())
        assert len(html.encode()) - small < 20_000
        page = open_page(html)
        assert {len(name) for name in page.texts(CAMPAIGN_NAMES)} == {200}
