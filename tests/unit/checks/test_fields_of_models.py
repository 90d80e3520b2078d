"""Fields of a model's objects as targets: repeated groups, and names that look like something else."""

from tests.unit.checks.checked_models import check, fault, vary

BRANCHES = """
BranchList,Loop,Supply;
Branch,Supply,,Fan:ConstantVolume,Own Fan,A,B;
Branch,5,,Fan:ConstantVolume,Own Fan,A,B;
Fan:ConstantVolume,Own Fan,,0.7,500,autosize,0.9,1,A,B;
"""


def test_a_group_that_the_object_does_not_have_is_refused_with_those_that_it_has(one_zone: str) -> None:
    problem = fault(one_zone, vary("BuildingSurface:Detailed", "South Wall", "Vertex 5 X-coordinate", 1.0))
    assert "BuildingSurface:Detailed 'South Wall' has no Vertex 5 X-coordinate" in problem.what
    assert problem.allowed == "groups 1 to 4"


def test_a_name_may_be_a_number(one_zone: str) -> None:
    assert check(one_zone + BRANCHES, vary("BranchList", "Loop", "Branch 1 Name", "5")).problems == ()


def test_after_the_name_of_a_class_the_other_names_are_looked_for(one_zone: str) -> None:
    parameter = vary("Branch", "Supply", "Component 1 Name", "Own Fan", "Fan:VariableVolume", "Own Fann")
    problem = fault(one_zone + BRANCHES, parameter)
    assert ("no object called 'Own Fann'" in problem.what, problem.allowed) == (True, "'Own Fan'")
