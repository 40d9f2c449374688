from django.urls import path

from accounts.views import by_link, preferences, sign_in, tokens, two_step, user_list, users

app_name = "accounts"
urlpatterns = [
    path("sign-in/", sign_in.SignInView.as_view(), name="sign_in"),
    path("sign-in/code/", two_step.sign_in_code, name="sign_in_code"),
    path("sign-out/", sign_in.SignOutView.as_view(), name="sign_out"),
    path("preferences/", preferences.preferences, name="preferences"),
    path("preferences/password/", preferences.change_password, name="change_password"),
    path("preferences/sessions/end/", preferences.end_session, name="end_session"),
    path("preferences/two-step/", two_step.two_step_page, name="two_step"),
    path("preferences/two-step/begin/", two_step.begin, name="begin_two_step"),
    path("preferences/two-step/confirm/", two_step.confirm, name="confirm_two_step"),
    path("preferences/two-step/codes/", two_step.new_codes, name="new_codes"),
    path("preferences/two-step/off/", two_step.switch_off, name="two_step_off"),
    path("preferences/tokens/", tokens.own_tokens, name="tokens"),
    path("preferences/tokens/create/", tokens.create, name="create_token"),
    path("preferences/tokens/<int:token_id>/revoke/", tokens.revoke, name="revoke_token"),
    path("users/", user_list.users, name="users"),
    path("users/csv/", user_list.users_csv, name="users_csv"),
    path("users/tables/<str:name>/columns/", user_list.choose_columns, name="choose_columns"),
    path("users/tokens/", tokens.all_tokens, name="all_tokens"),
    path("users/tokens/<int:token_id>/revoke/", tokens.revoke_any, name="revoke_any_token"),
    path("users/invite/", users.invite, name="invite"),
    path("users/<int:user_id>/", users.user, name="user"),
    path("users/<int:user_id>/roles/", users.change_roles, name="change_roles"),
    path("users/<int:user_id>/deactivate/", users.deactivate, name="deactivate"),
    path("users/<int:user_id>/reactivate/", users.reactivate, name="reactivate"),
    path("users/<int:user_id>/sign-out/", users.sign_out, name="sign_out_user"),
    path("users/<int:user_id>/unlock/", users.unlock, name="unlock"),
    path("users/<int:user_id>/reset-two-step/", users.reset_two_step, name="reset_two_step"),
    path("users/<int:user_id>/link/", users.send_link, name="send_link"),
    path("users/<int:user_id>/invite-again/", users.invite_again, name="invite_again"),
    path("users/<int:user_id>/withdraw/", users.withdraw, name="withdraw"),
    # Without sign-in.
    path("invitation/<str:token>/", by_link.invitation, name="invitation"),
    path("password/", by_link.forgot, name="forgot"),
    path("password/<int:user_id>/<str:token>/", by_link.set_password, name="set_password"),
]
