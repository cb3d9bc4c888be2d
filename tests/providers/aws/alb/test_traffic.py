"""One listener or rule: what is written is in force, everything else stays, and both are read back."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from lab.aws.elbv2 import forward

from deploytasks.errors import SplitMoved, Unreachable
from deploytasks.ports import Split
from deploytasks.providers.aws.alb.signature import BEFORE, HOME, SPLIT, tag_of

if TYPE_CHECKING:
    from .conftest import House

BLUE = Split(100, 0, "green", "settled:d-16")
CLAIMED = Split(100, 0, "blue", "deploy:d-17")
STAGE = Split(90, 10, "blue", "deploy:d-17")
NEXT = Split(75, 25, "blue", "deploy:d-17")
HOMEWARD = Split(100, 0, None, "back:rollback-1")


def tags(house: House) -> dict[str, str]:
    """Of the listener, ours."""
    return {key: value for key, value in house.elb.tags[house.listener].items() if key.startswith("deploytasks:")}


def test_a_listener_that_nobody_signed_is_read_by_its_weights(house: House) -> None:
    """As Terraform leaves it."""
    assert Split(100, 0) == house.traffic().read() == house.traffic().at_rest()


@pytest.mark.parametrize("split", [BLUE, STAGE, Split(0, 100, "blue", "deploy:a b;c%20 é")])
def test_a_split_is_read_back_with_its_marks(house: House, split: Split) -> None:
    """Weights, way back and signature, by another process too."""
    house.traffic().shift(split).perform(10)
    assert house.traffic().read() == split
    assert house.elb.weights(house.listener) == {"shop-blue": split.blue, "shop-green": split.green}


def test_a_rule_is_as_good_as_a_listener(house: House) -> None:
    """The listener's own action and tags are left alone."""
    rule = house.elb.rule(house.listener, 10, forward((house.blue, 1), (house.green, 0)))
    traffic = house.traffic(rule=rule)
    traffic.shift(STAGE, expect=Split(100, 0)).perform(10)
    assert traffic.read() == STAGE
    assert house.elb.weights(rule) == {"shop-blue": 90, "shop-green": 10}
    assert (house.elb.weights(house.listener), tags(house)) == ({"shop-blue": 100, "shop-green": 0}, {})


def test_everything_else_in_the_action_stays(house: House) -> None:
    """Authentication, order, stickiness, another group that gets nothing, and others' tags."""
    beta = house.elb.group("shop-beta")
    oidc = {
        "Type": "authenticate-oidc",
        "Order": 1,
        "AuthenticateOidcConfig": {
            "Issuer": "https://id.example",
            "AuthorizationEndpoint": "https://id.example/authorize",
            "TokenEndpoint": "https://id.example/token",
            "UserInfoEndpoint": "https://id.example/user",
            "ClientId": "shop",
            "ClientSecret": "of nobody",
        },
    }
    before = [oidc, forward((beta, 0), (house.blue, 1), sticky=600, Order=2)]
    house.listener = house.elb.listener(*before)
    house.elb.tags[house.listener]["team"] = "shop"
    house.set(STAGE)
    kept, action = house.elb.rules[house.listener].actions
    assert kept["AuthenticateOidcConfig"]["UseExistingClientSecret"] is True
    assert action == forward((beta, 0), (house.blue, 90), (house.green, 10), sticky=600, Order=2)
    assert house.elb.tags[house.listener]["team"] == "shop"


def test_a_third_group_with_traffic_is_refused(house: House) -> None:
    """Nothing is read as a split of two, and nothing is written."""
    beta = house.elb.group("shop-beta")
    house.listener = house.elb.listener(forward((house.blue, 80), (house.green, 10), (beta, 10)))
    with pytest.raises(Unreachable, match="also sends traffic to shop-beta"):
        house.traffic().read()
    with pytest.raises(Unreachable, match="also sends traffic to shop-beta"):
        house.traffic().shift(STAGE).perform(10)
    assert "ModifyListener" not in house.cloud.operations()


def test_what_somebody_else_wrote_is_not_written_over(house: House) -> None:
    """Compare and swap, before anything is touched."""
    house.set(BLUE)
    with pytest.raises(SplitMoved, match="settled:d-16") as caught:
        house.traffic().shift(STAGE, expect=BLUE._replace(writer="settled:other")).perform(10)
    assert "settled:other" in caught.value.state
    assert house.traffic().read() == BLUE


def test_a_stranger_s_weights_are_nobody_s(house: House) -> None:
    """Someone who moves traffic in the console leaves our tags behind: they are not his."""
    house.set(STAGE)
    house.elb.rules[house.listener].actions = [forward((house.blue, 50), (house.green, 50))]
    assert house.traffic().read() == Split(50, 50)
    with pytest.raises(SplitMoved, match="nobody we know"):
        house.traffic().shift(NEXT, expect=STAGE).perform(10)


def test_the_same_weights_are_not_written_again(house: House) -> None:
    """The tag is the write then, and since when the weights are so is kept."""
    house.set(STAGE)
    since = tags(house)[SPLIT].rpartition(" ")[2]
    with house.cloud.counting() as asked:
        house.traffic().shift(STAGE._replace(writer="deploy:other"), expect=STAGE).perform(10)
    assert "ModifyListener" not in asked
    assert tags(house)[SPLIT].rpartition(" ")[2] == since


def test_a_deployer_that_dies_between_tags_and_weights_has_changed_nothing(house: House) -> None:
    """What is in force is still the split before; and the next one takes it from there."""
    house.set(CLAIMED)
    house.elb.tags[house.listener] = {SPLIT: tag_of(STAGE), BEFORE: tag_of(CLAIMED)}
    assert house.traffic().read() == CLAIMED
    house.traffic().shift(STAGE, expect=CLAIMED).perform(10)
    assert house.traffic().read() == STAGE


def test_a_switch_that_fires_after_a_stage_is_seen_as_one(house: House) -> None:
    """It only moves weights. They are then those of the split before the stage: that is not taken for it."""
    traffic = house.traffic()
    house.set(CLAIMED)
    traffic.shift(Split(0, 100, "blue", "deploy:d-17"), expect=CLAIMED).perform(10)
    house.elb.tags[house.listener][HOME] = "blue d-17"
    house.elb.rules[house.listener].actions = [forward((house.blue, 100), (house.green, 0))]
    assert traffic.read() == Split(100, 0, None, "deadman:d-17")


@pytest.mark.parametrize("operation", ["AddTags", "ModifyListener", "RemoveTags"])
@pytest.mark.parametrize("times", [1, 3])
def test_a_lost_answer_does_no_harm(house: House, operation: str, times: int) -> None:
    """It was carried out: the retry, or the look afterwards, finds it so; or it can simply be done again."""
    house.set(CLAIMED)
    house.cloud.drop_answer("elbv2", operation, times=times)
    call = house.traffic().shift(STAGE, expect=CLAIMED)
    try:
        call.perform(10)
    except Unreachable:
        call.perform(10)
    assert house.traffic().read() == STAGE
    assert list(tags(house)) == [SPLIT]


def test_only_a_tag_that_is_lost_is_found_by_looking(house: House) -> None:
    """Where the tag alone is the write, three lost answers are one write."""
    house.set(BLUE)
    house.cloud.drop_answer("elbv2", "AddTags", times=3)
    house.traffic().shift(CLAIMED, expect=BLUE).perform(10)
    assert house.traffic().read() == CLAIMED


@pytest.mark.parametrize("number", range(9))
def test_a_rollback_at_any_moment_of_a_stage_wins(house: House, number: int) -> None:
    """Between any two requests of the deployer: it stops with code 5, or was done before. Never is traffic elsewhere
    than the balancer says, and one more look of the rollback has everybody home."""
    house.set(CLAIMED)
    asked = ["DescribeListeners", "DescribeTags", "DescribeTargetHealth", "AddTags", "ModifyListener",
             "DescribeListeners", "DescribeTags", "RemoveTags"]  # fmt: skip
    before = asked[:number]
    left = before.count(asked[number]) if number < len(asked) else 0
    for _ in range(left):
        house.cloud.before("elbv2", asked[number], lambda: None)
    if number < len(asked):
        house.cloud.before("elbv2", asked[number], lambda: house.set(HOMEWARD))
    is_stopped = False
    try:
        house.traffic().shift(STAGE, expect=CLAIMED).perform(10)
    except SplitMoved as error:
        is_stopped = error.exit_code == 5
    found = house.traffic().read()
    weights = house.elb.weights(house.listener)
    assert (found.blue, found.green) == (weights["shop-blue"], weights["shop-green"])
    assert found in {HOMEWARD, STAGE, Split(90, 10)}
    assert is_stopped or found == STAGE or number in (6, 7)  # it had seen its own weights by then
    house.set(HOMEWARD)
    assert house.traffic().read() == HOMEWARD


def test_what_is_written_while_we_look_is_seen_as_a_whole(house: House) -> None:
    """Weights of before, tags of after: that was never so, and is looked at again."""
    house.set(CLAIMED)
    house.elb.tags[house.listener][HOME] = "blue d-17"
    house.cloud.before("elbv2", "DescribeTags", lambda: house.set(STAGE))
    assert house.traffic().read() == STAGE


def test_a_way_back_is_written_again_over_a_deployer_in_the_same_second(house: House) -> None:
    """It is absolute: it goes on until it is in force."""
    house.set(STAGE)

    def deployer() -> None:
        house.elb.tags[house.listener] = {SPLIT: tag_of(NEXT), BEFORE: tag_of(STAGE)}

    house.cloud.before("elbv2", "ModifyListener", deployer)
    house.traffic().shift(HOMEWARD).perform(10)
    assert house.traffic().read() == HOMEWARD


def test_weights_that_come_after_a_way_back_are_taken_back(house: House) -> None:
    """A deployer's request was on its way while somebody went home and was done: home is where traffic stays."""
    house.set(STAGE)
    house.cloud.before("elbv2", "ModifyListener", lambda: house.set(HOMEWARD))
    with pytest.raises(SplitMoved) as caught:
        house.traffic().shift(NEXT, expect=STAGE).perform(10)
    assert "back:rollback-1" in caught.value.what
    assert house.traffic().read() == HOMEWARD


@pytest.mark.parametrize("to", [HOMEWARD, Split(100, 0, None, "deadman:d-17")])
def test_a_way_back_needs_no_signature(house: House, to: Split) -> None:
    """Where tags cannot be written, traffic goes home all the same; that nobody signed it is an error, and the deployer
    that finds it so stops."""
    house.set(STAGE)
    house.cloud.fail("elbv2", "AddTags", "TooManyTags", times=9)
    with pytest.raises(Unreachable, match="50 tags") as caught:
        house.traffic().shift(to).perform(2)
    assert "everybody is home" in caught.value.state
    assert house.traffic().read()[:2] == (100, 0)
    with pytest.raises(SplitMoved):
        house.traffic().shift(NEXT, expect=STAGE).perform(2)


def test_a_stage_that_cannot_be_signed_is_not_written(house: House) -> None:
    """Nobody would know whose it is."""
    house.set(CLAIMED)
    house.cloud.fail("elbv2", "AddTags", "TooManyTags", times=9)
    with pytest.raises(Unreachable, match="50 tags"):
        house.traffic().shift(STAGE, expect=CLAIMED).perform(2)
    assert house.traffic().read() == CLAIMED


def test_of_two_deployers_at_once_at_most_one_goes_on(house: House) -> None:
    """Without a lock both may be stopped; never do both believe that it is theirs."""
    house.set(BLUE)
    won: list[str] = []

    def write(writer: str) -> None:
        try:
            house.traffic().shift(STAGE._replace(writer=writer), expect=BLUE).perform(10)
        except SplitMoved:
            return
        won.append(writer)

    threads = [threading.Thread(target=write, args=(f"deploy:{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) <= 1 or house.traffic().read().writer in won


def test_a_rollback_asks_little(house: House) -> None:
    """Read, compare nothing, tag, modify, read back."""
    house.set(STAGE)
    with house.cloud.counting() as asked:
        house.traffic().shift(HOMEWARD).perform(10)
    look = ["DescribeListeners", "DescribeTags"]
    assert asked == [*look, "AddTags", "ModifyListener", *look]


# -- nothing exposed -------------------------------------------------------------------------------


def test_nothing_exposed_is_a_fixed_response(house: House) -> None:
    """Read so, whoever made it; and written so, never as two weights of 0."""
    fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}
    house.listener = house.elb.listener(fixed)
    assert house.traffic().read() == Split(0, 0)
    assert house.traffic().prepare() == ()
    first = Split(0, 100, None, "deploy:d-1")
    house.traffic().shift(first, expect=Split(0, 0)).perform(10)
    assert house.traffic().read() == first
    closed = Split(0, 0, None, "back:d-1")
    house.traffic().shift(closed).perform(10)
    assert house.traffic().read() == closed
    assert house.elb.rules[house.listener].actions[0]["FixedResponseConfig"]["StatusCode"] == "503"


def test_nobody_is_exposed_from_nothing_without_targets(house: House) -> None:
    """While nothing forwards to a group nobody checks its targets; but they must be there."""
    house.listener = house.elb.listener({"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}})
    house.elb.groups[house.green].targets.clear()
    with pytest.raises(Unreachable, match="0 of 0 targets of shop-green healthy"):
        house.traffic().shift(Split(0, 100, None, "deploy:d-1"), expect=Split(0, 0)).perform(10)
    assert house.traffic().read() == Split(0, 0)


def test_a_missing_group_is_attached_at_0(house: House) -> None:
    """Before that nobody checks its targets. Nothing to do afterwards."""
    house.listener = house.elb.listener(house.blue)
    traffic = house.traffic()
    [[call]] = traffic.prepare()
    assert call.text.endswith("attach shop-green at weight 0")
    call.perform(10)
    assert house.elb.weights(house.listener) == {"shop-blue": 1, "shop-green": 0}
    assert (traffic.prepare(), traffic.read()) == ((), Split(100, 0))
