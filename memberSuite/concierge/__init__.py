"""Concierge, MemberSuite's SOAP service: the default transport."""
