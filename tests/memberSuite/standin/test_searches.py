from memberSuite.standin import StandIn


def test_searches_of_every_kind_are_there_with_the_same_ids_always(still: StandIn) -> None:
    with StandIn(people=20, seed=9) as other:
        assert [one["id"] for one in other.searches()] == [one["id"] for one in still.searches()]
    found = {str(one["name"]): one for one in still.searches()}
    assert [one["name"] for one in still.searches()].count("Volunteers") == 2
    assert found["Member organizations"]["type"] == "Organization"
    assert found["Members in a town of your choice"]["needs_parameter"]
    assert found["Fifty newest records"]["is_limited"]
    assert not found["Staff only: fees to chase"]["is_public"]
    assert not found["Annual Congress 2019 delegates"]["is_active"]
    assert "EmailAddress" not in list(found["Mailing labels"]["columns"])
    assert still.summary(still.search_id("Centenarians"))["people"] == 0
    assert still.summary(still.search_id("All individuals"))["people"] == 300


def test_a_search_is_renamed_hidden_deleted_and_comes_back(standin: StandIn) -> None:
    wanted = standin.search_id("London chapter")
    standin.rename_search(wanted, "London and around")
    standin.hide_search(wanted)
    standin.delete_search(wanted)
    standin.restore_search(wanted)
    standin.show_search(wanted)
    found = next(one for one in standin.searches() if one["id"] == wanted)
    assert (found["name"], found["is_public"], found["is_deleted"]) == ("London and around", True, False)


def test_a_new_search_asks_what_its_model_asks(standin: StandIn) -> None:
    made = standin.make_search("Readers again", like=standin.search_id("Newsletter readers"))
    assert standin.truth(made) == standin.truth(standin.search_id("Newsletter readers"))
