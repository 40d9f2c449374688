"""Target groups: MemberSuite searches as mailing groups that stay true to the membership database."""
