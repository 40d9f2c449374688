"""REST, MemberSuite's JSON service: the second transport."""
