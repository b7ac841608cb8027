"""A forgotten password: a link by mail, with which somebody chooses another."""

from threading import Thread
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import views
from django.contrib.auth.forms import PasswordResetForm
from django.core.mail import EmailMessage
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse, reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

# Counted like a wrong password. No account can have a name with a space in it.
ATTEMPT = {"username": "forgotten password"}


class ForgottenPasswordForm(PasswordResetForm):
    def send_mail(self, *args: Any, **kwargs: Any) -> None:
        """Send it from a thread of its own: how long the answer takes says nothing of who has an account."""
        context: dict[str, Any] = args[2]
        place = reverse("admin:password_reset_confirm", args=[context["uid"], context["token"]])
        lines = [
            _("Somebody has asked for a new password for your account at %(site)s. If it was not you, do nothing.")
            % {"site": settings.SITE_NAME},
            _("Your username: %(name)s") % {"name": context["user"].get_username()},
            _("Choose a new password here. The link works once, for %(hours)d hours:")
            % {"hours": settings.PASSWORD_RESET_TIMEOUT // 3600},
            f"{settings.SITE_URL}{place}",
        ]
        subject = _("A new password for %(site)s") % {"site": settings.SITE_NAME}
        message = EmailMessage(subject, "\n\n".join(lines) + "\n", to=[context["email"]])
        Thread(target=message.send).start()  # a failure is in the log, as of every thread


class _Page:
    """One of the pages in the look of the admin, for people who are not signed in."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]
        request: HttpRequest = self.request  # type: ignore[attr-defined]
        return {**admin.site.each_context(request), **context, "sends_mail": settings.SENDS_MAIL}


class ForgottenPassword(_Page, views.PasswordResetView):
    form_class = ForgottenPasswordForm
    success_url = reverse_lazy("admin:password_reset_done")
    title = gettext_lazy("Forgotten password")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer alike whether there is such an account or not, and not too often."""
        if not settings.SENDS_MAIL:
            return self.get(request, *args, **kwargs)
        if not AxesProxyHandler.is_allowed(request, ATTEMPT):
            request.axes_locked_out = True  # type: ignore[attr-defined]  # the middleware answers
            return HttpResponse(status=429)
        AxesProxyHandler.user_login_failed(sender=type(self), credentials=ATTEMPT, request=request)
        return super().post(request, *args, **kwargs)


class ForgottenPasswordDone(_Page, views.PasswordResetDoneView):
    title = gettext_lazy("Look into your mail")


class NewPassword(_Page, views.PasswordResetConfirmView):
    success_url = reverse_lazy("admin:password_reset_complete")

    def form_valid(self, form: Any) -> HttpResponse:
        """Let somebody in who was locked out for guessing the old one."""
        user: Any = self.user
        AxesProxyHandler.reset_attempts(username=user.get_username())
        return super().form_valid(form)


class NewPasswordDone(_Page, views.PasswordResetCompleteView):
    title = gettext_lazy("Your password is changed")


URLS = [
    path("password_reset/", ForgottenPassword.as_view(), name="password_reset"),
    path("password_reset/sent/", ForgottenPasswordDone.as_view(), name="password_reset_done"),
    path("password_reset/<uidb64>/<token>/", NewPassword.as_view(), name="password_reset_confirm"),
    path("password_reset/changed/", NewPasswordDone.as_view(), name="password_reset_complete"),
]
