from django.urls import path

from accounts.views import preferences, sign_in

app_name = "accounts"
urlpatterns = [
    path("sign-in/", sign_in.SignInView.as_view(), name="sign_in"),
    path("sign-out/", sign_in.SignOutView.as_view(), name="sign_out"),
    path("preferences/", preferences.preferences, name="preferences"),
    path("preferences/password/", preferences.change_password, name="change_password"),
    path("preferences/sessions/end/", preferences.end_session, name="end_session"),
]
