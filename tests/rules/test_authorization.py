"""Every route for every role: who is let in, who is asked to sign in, and for whom it does not exist.

A new route fails here until it has a line in TABLE. Ids in addresses are of nothing at all, so whoever is let in gets
404 there; what is one's own and what is not is asked further down, with real things.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import AnyConverter, IntegerConverter, Rule, UUIDConverter

from portal.core.db import keep, session
from portal.domain.clinics.models import Clinic
from tests.api.conftest import Program
from tests.builders import at, make_member, make_user
from tests.people import Person

NOWHERE = "019aa000-0000-7000-8000-000000000000"
PEOPLE = {
    "anonymous": None,
    "patient": "amina",
    "doctor": "dr_benali",
    "staff": "nadia",
    "pharmacist": "pharmacist",
    "admin": "admin",
    "superadmin": "superadmin",
}
ENDLESS = {"stream.events", "api_v1.stream"}  # only its head is asked for
# tried last: then one is another
ENDS_SOMETHING = {"account.become_patient", "account.sign_out", "api_v1.become_patient", "api_v1.logout"}
MAY_BE_UNWELL = {"ops.detailed"}  # 503 says that something is not well, to whoever may know

# method, endpoint, who, and what happens to them:
#   everybody in        whoever comes is let in; "404" where the address names something that is not there
#   signed-in in        strangers are sent to sign in (401 for programs and changes)
#   <roles> in          these roles; others get 403
#   each …              one for each of PEOPLE, in their order
TABLE = """
POST   account.accept_invitation      signed-in 404
POST   account.add_allergy            signed-in in
POST   account.become_patient         signed-in in
POST   account.begin_factor           signed-in in
GET    account.calendars              signed-in in
POST   account.change_details         each 401 in 404 404 404 404 404
POST   account.change_profile         signed-in in
GET    account.check_mail             everybody in
POST   account.confirm_factor         signed-in in
POST   account.decline_by_link        everybody in
POST   account.decline_invitation     signed-in 404
POST   account.end_acting             signed-in 404
POST   account.end_all_acting         signed-in in
POST   account.end_calendar           signed-in 404
GET    account.factor_help            everybody in
POST   account.factor_help            everybody in
GET    account.forgot                 everybody in
POST   account.forgot                 everybody in
GET    account.invitation             everybody in
POST   account.invitation             everybody in
GET    account.invitations            signed-in in
POST   account.language               everybody in
GET    account.mail_step_of_sign_in   everybody in
POST   account.mail_step_of_sign_in   everybody in
POST   account.make_calendar          signed-in in
GET    account.password               signed-in in
POST   account.password               signed-in in
GET    account.profile                signed-in in
GET    account.provider               everybody 404
GET    account.provider_back          everybody 404
GET    account.register               everybody in
POST   account.register               everybody in
POST   account.remove_allergy         signed-in 404
POST   account.remove_factor          signed-in 404
POST   account.renew_codes            signed-in 404
POST   account.resend                 everybody in
GET    account.reset                  everybody in
POST   account.reset                  everybody in
GET    account.second_factor          signed-in in
GET    account.second_step_of_sign_in everybody in
POST   account.second_step_of_sign_in everybody in
GET    account.security               signed-in in
GET    account.sign_in                everybody in
POST   account.sign_in                everybody in
POST   account.sign_out               signed-in in
GET    account.sudo                   signed-in in
POST   account.sudo                   signed-in in
POST   account.theme                  everybody in
GET    account.verify                 everybody in
POST   account.verify                 everybody in
POST   admin.add_group                admin+superadmin 404
POST   admin.add_holiday              admin+superadmin 404
POST   admin.add_opening              admin+superadmin 404
POST   admin.add_reminder             admin+superadmin 404
POST   admin.add_resource             admin+superadmin 404
POST   admin.add_visit_type           admin+superadmin 404
GET    admin.audit                    admin+superadmin in
POST   admin.break_opening            admin+superadmin 404
POST   admin.change_client            admin+superadmin 404
POST   admin.change_clinic            admin+superadmin 404
POST   admin.change_doctor            admin+superadmin 404
POST   admin.change_group             admin+superadmin 404
POST   admin.change_opening           admin+superadmin 404
POST   admin.change_reminder          admin+superadmin 404
POST   admin.change_resource          admin+superadmin 404
POST   admin.change_visit_type        admin+superadmin 404
POST   admin.change_webhook           admin+superadmin 404
GET    admin.client                   admin+superadmin 404
GET    admin.clinic                   admin+superadmin 404
GET    admin.clinic_closures          admin+superadmin 404
GET    admin.clinics                  admin+superadmin in
POST   admin.close_clinic             admin+superadmin 404
POST   admin.close_resource           admin+superadmin 404
POST   admin.connect_doctor           admin+superadmin 404
POST   admin.copy_day                 admin+superadmin 404
GET    admin.copy_hours               admin+superadmin 404
POST   admin.copy_week                admin+superadmin 404
POST   admin.create_client            admin+superadmin in
POST   admin.create_clinic            superadmin in
POST   admin.create_doctor            admin+superadmin in
POST   admin.create_webhook           admin+superadmin in
POST   admin.deactivate_clinic        admin+superadmin 404
POST   admin.deactivate_user          admin+superadmin 404
POST   admin.decide_amendment         admin+superadmin 404
GET    admin.doctor                   admin+superadmin 404
GET    admin.doctors                  admin+superadmin in
GET    admin.edit_client              admin+superadmin 404
GET    admin.edit_clinic              admin+superadmin 404
GET    admin.edit_doctor              admin+superadmin 404
GET    admin.edit_webhook             admin+superadmin 404
POST   admin.end_client               admin+superadmin 404
POST   admin.end_group                admin+superadmin 404
POST   admin.end_membership           admin+superadmin 404
POST   admin.end_practice             admin+superadmin 404
POST   admin.export_audit             superadmin in
GET    admin.figures                  admin+superadmin in
GET    admin.figures_csv              admin+superadmin in
GET    admin.hide_form                admin+superadmin 404
POST   admin.hide_review              admin+superadmin 404
POST   admin.invite_user              admin+superadmin in
GET    admin.new_client               admin+superadmin in
GET    admin.new_clinic               superadmin in
GET    admin.new_doctor               admin+superadmin in
GET    admin.new_opening              admin+superadmin 404
GET    admin.new_user                 admin+superadmin in
GET    admin.new_visit_type           admin+superadmin 404
GET    admin.new_webhook              admin+superadmin in
GET    admin.opening                  admin+superadmin 404
GET    admin.openings                 admin+superadmin 404
GET    admin.openings_preview         admin+superadmin 404
POST   admin.pause_webhook            admin+superadmin 404
GET    admin.programs_list            admin+superadmin in
POST   admin.reactivate_clinic        admin+superadmin 404
POST   admin.reactivate_user          admin+superadmin 404
GET    admin.reminders                admin+superadmin 404
POST   admin.remove_factor            admin+superadmin 404
POST   admin.remove_holiday           admin+superadmin 404
POST   admin.remove_opening           admin+superadmin 404
POST   admin.remove_reminder          admin+superadmin 404
POST   admin.remove_webhook           admin+superadmin 404
POST   admin.renew_secret             admin+superadmin 404
POST   admin.reopen_clinic            admin+superadmin 404
POST   admin.reopen_resource          admin+superadmin 404
POST   admin.replay_failed_messages   admin+superadmin 404
POST   admin.replay_message           admin+superadmin 404
GET    admin.resource                 admin+superadmin 404
POST   admin.resume_webhook           admin+superadmin 404
POST   admin.retry_task               superadmin 404
GET    admin.reviews                  admin+superadmin in
GET    admin.room_group               admin+superadmin 404
GET    admin.rooms                    admin+superadmin 404
POST   admin.rotate_webhook           admin+superadmin 404
POST   admin.search_doctors           admin+superadmin in
POST   admin.search_users             admin+superadmin in
POST   admin.send_invitation          admin+superadmin 404
POST   admin.show_review              admin+superadmin 404
POST   admin.start_practice           admin+superadmin 404
POST   admin.stretch_opening          admin+superadmin 404
POST   admin.take_holidays            admin+superadmin 404
GET    admin.tasks                    superadmin in
POST   admin.test_webhook             admin+superadmin 404
POST   admin.try_opening              admin+superadmin 404
GET    admin.user                     admin+superadmin 404
GET    admin.users                    admin+superadmin in
POST   admin.verify_doctor            admin+superadmin 404
GET    admin.visit_type               admin+superadmin 404
POST   admin.visit_type_words         admin+superadmin 404
GET    admin.webhook                  admin+superadmin 404
GET    admin.webhooks                 admin+superadmin in
POST   admin.withdraw_doctor          admin+superadmin 404
POST   admin.withdraw_invitation      admin+superadmin 404
POST   api_v1.accept_care_invitation  signed-in in
POST   api_v1.accept_clinic_invitation signed-in 404
POST   api_v1.accept_offer            signed-in 404
POST   api_v1.accept_proposal         signed-in 404
POST   api_v1.accept_record_request   signed-in 404
POST   api_v1.add_allergy             signed-in in
POST   api_v1.add_break               signed-in in
POST   api_v1.add_dependant           signed-in in
POST   api_v1.add_holiday             signed-in in
POST   api_v1.add_opening             signed-in in
POST   api_v1.add_resource            signed-in in
POST   api_v1.add_room_group          signed-in in
POST   api_v1.add_visit_type          signed-in in
POST   api_v1.add_walk_in             signed-in in
PUT    api_v1.answer_review           signed-in in
POST   api_v1.apply_change            signed-in 404
POST   api_v1.arrive                  signed-in 404
POST   api_v1.ask_for_carer           signed-in in
POST   api_v1.ask_to_hand_over        signed-in in
POST   api_v1.ask_to_join             signed-in in
POST   api_v1.become_patient          signed-in in
POST   api_v1.book                    signed-in in
POST   api_v1.book_series             signed-in in
POST   api_v1.call                    signed-in 404
POST   api_v1.call_next               signed-in in
POST   api_v1.call_off                signed-in 404
POST   api_v1.cancel                  signed-in 404
POST   api_v1.cancel_series           signed-in 404
PUT    api_v1.change_care             signed-in 404
PUT    api_v1.change_clinic           signed-in in
PUT    api_v1.change_doctor_profile   signed-in in
PUT    api_v1.change_my_doctor_profile signed-in in
PUT    api_v1.change_opening          signed-in in
POST   api_v1.change_password         signed-in in
PUT    api_v1.change_patient          signed-in in
PUT    api_v1.change_profile          signed-in 404
PUT    api_v1.change_resource         signed-in in
PUT    api_v1.change_room_group       signed-in in
PUT    api_v1.change_visit_type       signed-in in
PATCH  api_v1.change_wait             signed-in 404
PATCH  api_v1.change_webhook          signed-in 404
POST   api_v1.check_in                signed-in 404
POST   api_v1.choose_time             signed-in in
POST   api_v1.close_clinic            signed-in in
POST   api_v1.close_doctor            signed-in in
POST   api_v1.close_practice          signed-in in
POST   api_v1.close_resource          signed-in 404
GET    api_v1.collected               everybody in
POST   api_v1.complete                signed-in 404
POST   api_v1.confirm                 signed-in 404
POST   api_v1.confirm_amendment       signed-in 404
POST   api_v1.confirm_record_request  signed-in 404
POST   api_v1.create_clinic           signed-in in
POST   api_v1.create_doctor           signed-in in
POST   api_v1.deactivate_clinic       signed-in 404
POST   api_v1.deactivate_user         admin+superadmin 404
PATCH  api_v1.decide                  signed-in 404
POST   api_v1.decline                 signed-in 404
POST   api_v1.decline_clinic_invitation signed-in 404
POST   api_v1.decline_invitation      signed-in 404
POST   api_v1.decline_offer           signed-in 404
POST   api_v1.dispute_record_request  signed-in 404
GET    api_v1.docs                    everybody in
DELETE api_v1.drop_change             signed-in 404
DELETE api_v1.end_acting              signed-in 404
POST   api_v1.end_all_acting          signed-in in
DELETE api_v1.end_calendar            signed-in 404
DELETE api_v1.end_care                signed-in 404
DELETE api_v1.end_membership          signed-in 404
DELETE api_v1.end_practice            signed-in 404
DELETE api_v1.end_room_group          signed-in 404
DELETE api_v1.end_session             signed-in 404
POST   api_v1.enter_patient           signed-in in
GET    api_v1.explorer                everybody in
POST   api_v1.extend_hold             everybody in
POST   api_v1.forgot_password         everybody in
GET    api_v1.get_appointment         signed-in 404
GET    api_v1.get_appointment_calendar signed-in 404
GET    api_v1.get_board               everybody 404
GET    api_v1.get_care                signed-in 404
GET    api_v1.get_chain               superadmin in
GET    api_v1.get_change              signed-in 404
GET    api_v1.get_clinic              everybody 404
GET    api_v1.get_clinic_figures      signed-in 404
GET    api_v1.get_clinic_invitation   signed-in 404
GET    api_v1.get_clinic_queue        signed-in 404
GET    api_v1.get_doctor              everybody 404
GET    api_v1.get_doctor_figures      signed-in 404
GET    api_v1.get_doctor_profile      signed-in 404
GET    api_v1.get_doctor_queue        signed-in 404
GET    api_v1.get_family              signed-in in
GET    api_v1.get_history             signed-in 404
GET    api_v1.get_hold                everybody in
GET    api_v1.get_invitation          signed-in 404
GET    api_v1.get_message             signed-in 404
GET    api_v1.get_my_doctor_profile   each 401 404 in 404 404 404 404
GET    api_v1.get_offer               signed-in 404
GET    api_v1.get_opening             signed-in 404
GET    api_v1.get_patient             signed-in 404
GET    api_v1.get_patient_card        signed-in 404
GET    api_v1.get_profile             signed-in 404
GET    api_v1.get_record_request      signed-in 404
GET    api_v1.get_resource            signed-in 404
GET    api_v1.get_review              signed-in 404
GET    api_v1.get_room_group          signed-in 404
GET    api_v1.get_series              signed-in 404
GET    api_v1.get_standing            signed-in 404
GET    api_v1.get_task                superadmin 404
GET    api_v1.get_user                admin+superadmin 404
GET    api_v1.get_visit_type          signed-in 404
GET    api_v1.get_wait                signed-in 404
GET    api_v1.get_webhook             signed-in 404
POST   api_v1.hand_over               signed-in in
POST   api_v1.hide_review             signed-in in
POST   api_v1.invite                  signed-in in
POST   api_v1.invite_carer            signed-in in
POST   api_v1.invite_doctor           signed-in in
POST   api_v1.invite_member           signed-in in
POST   api_v1.join_waitlist           signed-in in
PUT    api_v1.keep_doctor             each 401 404 403 403 403 403 403
POST   api_v1.leave_waitlist          signed-in 404
DELETE api_v1.let_doctor_go           each 401 in 403 403 403 403 403
GET    api_v1.list_acting             signed-in in
GET    api_v1.list_any_slots          everybody in
GET    api_v1.list_appointments       signed-in in
GET    api_v1.list_calendars          signed-in in
GET    api_v1.list_carers             signed-in 404
GET    api_v1.list_changes            signed-in in
GET    api_v1.list_choices            everybody 404
GET    api_v1.list_choices_of_proposal signed-in 404
GET    api_v1.list_clinic_appointments signed-in 404
GET    api_v1.list_clinic_closures    signed-in 404
GET    api_v1.list_clinic_invitations signed-in 404
GET    api_v1.list_clinic_visit_types signed-in 404
GET    api_v1.list_clinic_waits       signed-in 404
GET    api_v1.list_clinics            everybody in
GET    api_v1.list_collisions         signed-in in
GET    api_v1.list_doctor_appointments signed-in 404
GET    api_v1.list_doctor_closures    signed-in 404
GET    api_v1.list_doctors            everybody in
GET    api_v1.list_events             admin+superadmin in
GET    api_v1.list_favourites         signed-in in
GET    api_v1.list_holidays           signed-in 404
GET    api_v1.list_invitations        signed-in in
GET    api_v1.list_many_slots         everybody in
GET    api_v1.list_members            signed-in 404
GET    api_v1.list_messages           signed-in 404
GET    api_v1.list_my_clinic_invitations signed-in in
GET    api_v1.list_my_clinics         signed-in in
GET    api_v1.list_my_doctors         signed-in in
GET    api_v1.list_notifications      signed-in in
GET    api_v1.list_offers             signed-in 404
GET    api_v1.list_openings           signed-in 404
GET    api_v1.list_patient_invitations signed-in in
GET    api_v1.list_proposals          signed-in in
GET    api_v1.list_public_holidays    signed-in 404
GET    api_v1.list_record_requests    signed-in in
GET    api_v1.list_reviews            everybody 404
GET    api_v1.list_reviews_about_me   each 401 403 in 403 403 403 403
GET    api_v1.list_reviews_of_clinics each 401 403 403 403 403 in in
GET    api_v1.list_rooms              signed-in 404
GET    api_v1.list_sessions           signed-in in
GET    api_v1.list_slots              everybody in
GET    api_v1.list_specialties        everybody in
GET    api_v1.list_tasks              superadmin in
GET    api_v1.list_times_for_wait     signed-in 404
GET    api_v1.list_times_to_propose   signed-in 404
GET    api_v1.list_users              admin+superadmin in
GET    api_v1.list_visit_types        everybody 404
GET    api_v1.list_waits              signed-in in
GET    api_v1.list_webhook_events     everybody in
GET    api_v1.list_webhooks           signed-in in
POST   api_v1.login                   everybody in
POST   api_v1.login_with_code         everybody in
POST   api_v1.login_with_mail_code    everybody in
POST   api_v1.logout                  signed-in in
POST   api_v1.look_at_care_invitation signed-in in
POST   api_v1.make_calendar           signed-in in
POST   api_v1.make_offer              signed-in in
POST   api_v1.make_webhook            signed-in in
POST   api_v1.mark_all_notifications_read signed-in in
POST   api_v1.mark_no_show            signed-in 404
POST   api_v1.mark_notification_read  signed-in 404
GET    api_v1.me                      signed-in in
POST   api_v1.move_from_front         signed-in 404
POST   api_v1.move_to_front           signed-in 404
GET    api_v1.openapi                 everybody in
POST   api_v1.pause_webhook           signed-in 404
POST   api_v1.place_any_hold          everybody in
POST   api_v1.place_hold              everybody in
POST   api_v1.plan_change             signed-in in
GET    api_v1.plan_series             signed-in in
POST   api_v1.propose_time            signed-in in
PUT    api_v1.put_profile             signed-in in
POST   api_v1.reactivate_clinic       signed-in 404
POST   api_v1.reactivate_user         admin+superadmin 404
POST   api_v1.refresh                 everybody in
POST   api_v1.refuse_record_request   signed-in 404
POST   api_v1.register                everybody in
POST   api_v1.reject_amendment        signed-in 404
DELETE api_v1.release_hold            everybody in
DELETE api_v1.remove_allergy          signed-in 404
DELETE api_v1.remove_closure          signed-in 404
DELETE api_v1.remove_holiday          signed-in 404
DELETE api_v1.remove_opening          signed-in 404
DELETE api_v1.remove_webhook          signed-in 404
PUT    api_v1.rename_patient          signed-in in
POST   api_v1.renew_change            signed-in 404
POST   api_v1.reopen_resource         signed-in 404
POST   api_v1.replay_failed           signed-in in
POST   api_v1.replay_message          signed-in 404
POST   api_v1.reschedule              signed-in in
POST   api_v1.reset_password          everybody in
POST   api_v1.resume_webhook          signed-in 404
POST   api_v1.retry_task              superadmin 404
POST   api_v1.rotate_webhook          signed-in 404
POST   api_v1.search_clinic_waits     signed-in 404
POST   api_v1.search_my_doctors       signed-in in
POST   api_v1.search_patients         signed-in in
POST   api_v1.search_users            admin+superadmin in
POST   api_v1.see_record_request      signed-in 404
POST   api_v1.send_back               signed-in 404
POST   api_v1.send_clinic_invitation  signed-in 404
POST   api_v1.show_review             signed-in 404
POST   api_v1.start                   signed-in 404
POST   api_v1.start_practice          signed-in in
GET    api_v1.stream                  signed-in in
POST   api_v1.take_back               signed-in 404
POST   api_v1.take_public_holidays    signed-in in
POST   api_v1.test_webhook            signed-in 404
POST   api_v1.verify_email            everybody in
POST   api_v1.verify_licence          signed-in 404
GET    api_v1.websocket               everybody in
DELETE api_v1.withdraw_amendment      signed-in 404
DELETE api_v1.withdraw_care_invitation signed-in 404
DELETE api_v1.withdraw_clinic_invitation signed-in 404
POST   api_v1.withdraw_invitation     signed-in 404
POST   api_v1.withdraw_licence        signed-in 404
POST   api_v1.withdraw_record_request signed-in 404
PUT    api_v1.write_review            signed-in in
POST   changes.accept                 doctor+staff+admin+superadmin 404
POST   changes.apply                  doctor+staff+admin+superadmin 404
GET    changes.change                 doctor+staff+admin+superadmin 404
POST   changes.drop                   doctor+staff+admin+superadmin 404
GET    changes.index                  doctor+staff+admin+superadmin in
GET    changes.other_times            doctor+staff+admin+superadmin 404
POST   changes.propose                doctor+staff+admin+superadmin 404
POST   changes.remember               doctor+staff+admin+superadmin 404
POST   changes.renew                  doctor+staff+admin+superadmin 404
GET    consent.authorize              everybody in
POST   consent.decide                 everybody in
POST   desk.add_opening               staff+admin+superadmin 404
POST   desk.add_patient               staff+admin+superadmin in
POST   desk.add_waiting               staff+admin+superadmin 404
POST   desk.add_walk_in               staff+admin+superadmin in
POST   desk.answer_for                staff+admin+superadmin 404
GET    desk.appointment               staff+admin+superadmin 404
POST   desk.appointment_step          staff+admin+superadmin 404
GET    desk.arrival_sign              staff+admin+superadmin in
POST   desk.ask_for_carer             staff+admin+superadmin 404
POST   desk.ask_to_join               staff+admin+superadmin 404
GET    desk.book                      staff+admin+superadmin in
POST   desk.book_for                  staff+admin+superadmin 404
POST   desk.book_series               staff+admin+superadmin 404
POST   desk.break_opening             staff+admin+superadmin 404
GET    desk.calendar                  staff+admin+superadmin in
GET    desk.calendar_events           staff+admin+superadmin in
POST   desk.call                      staff+admin+superadmin in
POST   desk.call_next                 staff+admin+superadmin 404
GET    desk.calls                     staff+admin+superadmin in
POST   desk.cancel                    staff+admin+superadmin 404
POST   desk.change_opening            staff+admin+superadmin 404
POST   desk.change_patient            staff+admin+superadmin 404
POST   desk.change_waiting            staff+admin+superadmin 404
POST   desk.confirm_request           staff+admin+superadmin 404
POST   desk.copy_day                  staff+admin+superadmin 404
GET    desk.copy_hours                staff+admin+superadmin 404
POST   desk.copy_week                 staff+admin+superadmin 404
GET    desk.day                       staff+admin+superadmin in
POST   desk.decline                   staff+admin+superadmin 404
GET    desk.edit_patient              staff+admin+superadmin 404
POST   desk.end_care_of               staff+admin+superadmin 404
POST   desk.end_waiting               staff+admin+superadmin 404
POST   desk.enter_walk_in             staff+admin+superadmin in
POST   desk.hand_record_over          staff+admin+superadmin 404
GET    desk.move                      staff+admin+superadmin 404
POST   desk.move_on_calendar          staff+admin+superadmin 404
POST   desk.move_to                   staff+admin+superadmin 404
GET    desk.new_opening               staff+admin+superadmin 404
GET    desk.new_patient               staff+admin+superadmin in
GET    desk.new_waiting               staff+admin+superadmin in
GET    desk.new_walk_in               staff+admin+superadmin in
POST   desk.offer_now                 staff+admin+superadmin 404
GET    desk.opening                   staff+admin+superadmin 404
GET    desk.openings                  staff+admin+superadmin 404
GET    desk.openings_preview          staff+admin+superadmin 404
GET    desk.patient                   staff+admin+superadmin 404
GET    desk.patient_family            staff+admin+superadmin 404
GET    desk.patients                  staff+admin+superadmin in
GET    desk.practices                 staff+admin+superadmin in
POST   desk.remove_opening            staff+admin+superadmin 404
POST   desk.reopen_call               staff+admin+superadmin 404
GET    desk.request_to_patient        staff+admin+superadmin 404
GET    desk.requests                  staff+admin+superadmin in
POST   desk.search_book               staff+admin+superadmin in
POST   desk.search_day                staff+admin+superadmin in
POST   desk.search_new_waiting        staff+admin+superadmin in
POST   desk.search_patients           staff+admin+superadmin in
POST   desk.search_waitlist           staff+admin+superadmin in
POST   desk.search_walk_in            staff+admin+superadmin in
GET    desk.series                    staff+admin+superadmin 404
POST   desk.stretch_opening           staff+admin+superadmin 404
POST   desk.try_opening               staff+admin+superadmin 404
POST   desk.visit_step                staff+admin+superadmin 404
GET    desk.waiting                   staff+admin+superadmin 404
GET    desk.waitlist                  staff+admin+superadmin in
GET    desk.why_not                   staff+admin+superadmin in
POST   desk.withdraw_request          staff+admin+superadmin 404
GET    dev.attachment                 everybody 404
GET    dev.letter                     everybody 404
GET    dev.letter_html                everybody 404
GET    dev.mail                       everybody in
POST   dev.search_mail                everybody in
POST   doctor.add_opening             doctor in
POST   doctor.add_time_off            doctor in
GET    doctor.answer_form             doctor 404
POST   doctor.answer_review           doctor 404
GET    doctor.appointment             doctor 404
GET    doctor.book                    doctor in
POST   doctor.book_for                doctor 404
POST   doctor.book_series             doctor 404
POST   doctor.break_opening           doctor 404
POST   doctor.call_next               doctor 404
POST   doctor.cancel                  doctor 404
POST   doctor.change_opening          doctor 404
POST   doctor.change_profile          doctor in
POST   doctor.copy_day                doctor in
GET    doctor.copy_hours              doctor in
POST   doctor.copy_week               doctor in
POST   doctor.decline                 doctor 404
GET    doctor.figures                 doctor in
GET    doctor.figures_csv             doctor in
GET    doctor.invite                  doctor 404
GET    doctor.move                    doctor 404
POST   doctor.move_on_week            doctor 404
POST   doctor.move_to                 doctor 404
GET    doctor.new_opening             doctor in
GET    doctor.opening                 doctor 404
GET    doctor.openings                doctor in
GET    doctor.openings_preview        doctor in
GET    doctor.profile                 doctor in
POST   doctor.remove_opening          doctor 404
POST   doctor.remove_time_off         doctor 404
GET    doctor.reviews                 doctor in
POST   doctor.search_book             doctor in
POST   doctor.send_invitation         doctor 404
GET    doctor.series                  doctor 404
POST   doctor.step                    doctor 404
POST   doctor.stretch_opening         doctor 404
GET    doctor.time_off                doctor in
GET    doctor.today                   doctor in
POST   doctor.try_opening             doctor in
GET    doctor.week                    doctor in
GET    doctor.week_events             doctor in
GET    doctor.why_not                 doctor in
POST   doctor.withdraw_amendment      doctor 404
POST   doctor.withdraw_invitation     doctor 404
POST   family.accept_invitation       signed-in in
GET    family.invitation              signed-in in
GET    notifications.badge            signed-in in
GET    notifications.index            signed-in in
POST   notifications.mark_all_read    signed-in in
POST   notifications.mark_read        signed-in 404
POST   oauth.introspect               everybody in
GET    oauth.key_set                  everybody in
GET    oauth.metadata                 everybody in
POST   oauth.revoke                   everybody in
POST   oauth.token                    everybody in
GET    ops.detailed                   each 404 404 404 404 404 404 in
GET    ops.figures                    everybody 404
GET    ops.health                     everybody in
POST   patient.accept_request         patient 404
POST   patient.add_dependant          patient in
POST   patient.answer_change          patient 404
POST   patient.answer_offer           patient 404
GET    patient.appointment            patient 404
GET    patient.appointments           patient in
POST   patient.arrive                 patient 404
GET    patient.arriving               patient 404
GET    patient.calendar               patient 404
GET    patient.cancel                 patient 404
POST   patient.cancel_appointment     patient 404
GET    patient.care_of                patient 404
GET    patient.change                 patient 404
POST   patient.change_care            patient 404
POST   patient.change_dependant       patient 404
POST   patient.change_waitlist        patient 404
POST   patient.decline_invitation     patient 404
GET    patient.dependant              patient 404
GET    patient.dependant_profile      patient 404
POST   patient.dispute_request        patient 404
POST   patient.end_care               patient 404
GET    patient.family                 patient in
GET    patient.hand_over              patient 404
GET    patient.home                   patient in
GET    patient.invitation             patient 404
GET    patient.invite_carer           patient in
POST   patient.join_waitlist          patient 404
POST   patient.keep_doctor            patient 404
POST   patient.leave_waitlist         patient 404
POST   patient.let_doctor_go          patient in
GET    patient.move                   patient 404
GET    patient.new_dependant          patient in
POST   patient.refuse_request         patient 404
POST   patient.rename_dependant       patient 404
GET    patient.request_of_clinic      patient 404
GET    patient.requests               patient in
POST   patient.reschedule             patient 404
GET    patient.review                 patient 404
POST   patient.see_request            patient 404
POST   patient.send_hand_over         patient 404
POST   patient.send_invitation        patient in
GET    patient.waitlist               patient in
GET    patient.waitlist_entry         patient 404
GET    patient.waitlist_join          patient 404
GET    patient.waitlist_offer         patient 404
POST   patient.withdraw_invitation    patient 404
POST   patient.write_review           patient 404
GET    public.any_times               everybody 404
GET    public.arrive                  everybody 404
POST   public.arrived                 everybody 404
GET    public.board                   everybody 404
GET    public.book                    everybody 404
GET    public.book_any                everybody 404
POST   public.book_appointment        each in 404 404 404 404 404 404
GET    public.book_details            everybody in
GET    public.book_times              everybody 404
GET    public.booked                  signed-in 404
GET    public.calendar_feed           everybody 404
GET    public.clinic                  everybody 404
GET    public.directory               everybody in
GET    public.doctor                  everybody 404
GET    public.doctor_reviews          everybody 404
GET    public.go                      everybody in
POST   public.go_act                  everybody in
POST   public.go_who                  everybody in
POST   public.hold                    everybody 404
POST   public.hold_any                everybody 404
GET    public.home                    everybody in
GET    public.privacy                 everybody in
GET    public.waiting                 everybody in
GET    static                         everybody in
GET    stream.events                  signed-in in
"""


@cache
def table() -> dict[tuple[str, str], dict[str, str]]:
    """What is expected: (method, endpoint) -> person -> outcome."""
    return {
        (method, endpoint): expected(method, endpoint, who, *then)
        for method, endpoint, who, *then in (line.split() for line in TABLE.splitlines() if line.strip())
    }


def expected(method: str, endpoint: str, who: str, *then: str) -> dict[str, str]:
    if who == "each":
        return dict(zip(PEOPLE, then, strict=True))
    if who == "everybody":
        return dict.fromkeys(PEOPLE, then[0])
    asked = "sign-in" if method == "GET" and not endpoint.startswith("api_") and endpoint not in ENDLESS else "401"
    roles = PEOPLE if who == "signed-in" else who.split("+")
    return {role: then[0] if role in roles else "403" for role in PEOPLE} | {"anonymous": asked}


def routes(app: Flask) -> dict[tuple[str, str], Rule]:
    """Every method of every address."""
    return {
        (method, rule.endpoint): rule
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def address(app: Flask, rule: Rule) -> str:
    """The route's address with ids of nothing."""
    values = {name: _nothing(converter) for name, converter in rule._converters.items()}
    if rule.endpoint == "static":
        values = {"filename": "css/portal.css"}
    return app.url_map.bind("localhost").build(rule.endpoint, values)


def _nothing(converter: Any) -> Any:
    if isinstance(converter, AnyConverter):
        return sorted(converter.items)[0]
    return (
        NOWHERE if isinstance(converter, UUIDConverter) else 1 if isinstance(converter, IntegerConverter) else "unknown"
    )


def outcome(answer: Any, endpoint: str = "") -> str:
    """One word for what happened: in, sign-in, 401, 403 or 404."""
    if answer.status_code in {302, 303} and answer.headers["Location"].startswith("/account/sign-in?next="):
        return "sign-in"
    if answer.status_code >= 500 and not (answer.status_code == 503 and endpoint in MAY_BE_UNWELL):
        return f"{answer.status_code}: {answer.get_data(as_text=True)[:200]}"
    return str(answer.status_code) if answer.status_code in {401, 403, 404} else "in"


@pytest.fixture
def pharmacist(where: Flask, el_djazair: Any) -> Person:
    user = make_user("Rania", "Toumi")
    make_member(user, session().get_one(Clinic, el_djazair.clinic_id), "pharmacist")
    keep()
    return Person(user.name, str(user.email), user.id)


def test_every_route_has_its_line(app: Flask) -> None:
    assert set(routes(app)) - set(table()) == set(), "new routes need a line in TABLE: who may use them?"
    assert set(table()) - set(routes(app)) == set(), "these routes are gone"


@pytest.mark.parametrize("role", PEOPLE)
def test_every_route_lets_in_whom_it_should(
    app: Flask, client: Any, role: str, dr_benali: Any, request: pytest.FixtureRequest
) -> None:
    fixture = PEOPLE[role]
    person = request.getfixturevalue(fixture) if fixture else None
    known = {key: rule for key, rule in routes(app).items() if key in table()}
    happened = {
        key: _ask(client, person, *key, address(app, rule))
        for key, rule in sorted(known.items(), key=lambda item: (item[0][1] in ENDS_SOMETHING, item[0]))
    }
    wanted = {key: table()[key][role] for key in known}
    assert {key: said for key, said in happened.items() if said != wanted[key]} == {}


def _ask(client: Any, person: Any, method: str, endpoint: str, url: str) -> str:
    if url.startswith("/api/"):
        headers = {"Authorization": f"Bearer {Program(client).as_(person).token}"} if person else {}
        client.sign_out()
        with client.open(url, method="HEAD" if endpoint in ENDLESS else method, headers=headers) as answer:
            return outcome(answer)
    if person:
        client.sign_in(person)
    with client.open(url, method="HEAD" if endpoint in ENDLESS else method) as answer:
        return outcome(answer, endpoint)


# --- one's own and what is not: one visit of Amina with Dr Benali at El Djazair ---


@pytest.fixture
def visit(client: Any, amina: Any, wish: Callable[..., dict[str, Any]]) -> str:
    made = Program(client).as_(amina).post("/appointments", wish())
    assert made.status_code == 201
    return str(made.get_json()["id"])


@pytest.mark.parametrize(
    ("who", "door", "happens"),
    [
        ("amina", "patient", "in"),
        ("yacine", "patient", "404"),
        ("dr_benali", "doctor", "in"),
        ("dr_haddad", "doctor", "404"),
        ("amina", "doctor", "403"),
        ("dr_benali", "patient", "403"),
        ("kamel", "doctor", "403"),
    ],
)
def test_a_visit_is_shown_to_those_it_concerns(
    client: Any, visit: str, who: str, door: str, happens: str, request: pytest.FixtureRequest
) -> None:
    client.sign_in(request.getfixturevalue(who))
    assert outcome(client.get(f"/{door}/appointments/{visit}")) == happens


@pytest.mark.parametrize("who", ["yacine", "dr_haddad", "kamel"])
def test_nobody_else_changes_a_visit_by_any_door(
    client: Any, visit: str, who: str, amina: Any, request: pytest.FixtureRequest
) -> None:
    stranger = request.getfixturevalue(who)
    program, before = Program(client).as_(stranger), Program(client).as_(amina).get(f"/appointments/{visit}").get_json()
    moved = {"starts_at": at("10:00", 3).isoformat()}
    for verb, body in (("confirm", {}), ("decline", {}), ("cancel", {}), ("reschedule", moved)):
        assert outcome(program.post(f"/appointments/{visit}/{verb}", body)) == "404"
    client.sign_in(stranger)
    for path in ("patient/appointments/{}/cancel", "patient/appointments/{}/move", "doctor/appointments/{}/cancel"):
        assert outcome(client.post("/" + path.format(visit), data={"code": "other", **moved})) in {"403", "404"}
    client.sign_out()
    assert Program(client).as_(amina).get(f"/appointments/{visit}").get_json() == before


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/admin/clinics/{clinic}"),
        ("GET", "/admin/clinics/{clinic}/edit"),
        ("POST", "/admin/clinics/{clinic}/edit"),
        ("POST", "/admin/clinics/{clinic}/deactivate"),
        ("POST", "/admin/clinics/{clinic}/holidays"),
        ("POST", "/admin/clinics/{clinic}/visit-types/new"),
        ("GET", "/admin/visit-types/{kind}"),
        ("POST", "/admin/visit-types/{kind}"),
        ("POST", "/admin/doctors/{doctor}/edit"),
        ("POST", "/admin/doctors/{doctor}/withdraw"),
        ("POST", "/admin/practices/{practice}/end"),
        ("GET", "/admin/users/{user}"),
        ("POST", "/admin/users/{user}/deactivate"),
    ],
)
def test_an_admin_has_no_say_in_another_clinic(
    client: Any, admin: Any, wahran: Any, dr_haddad: Any, kamel: Any, method: str, path: str
) -> None:
    known = {"clinic": wahran.slug, "kind": wahran.consultation_id, "doctor": dr_haddad.slug, "user": kamel.user_id}
    client.sign_in(admin)
    answer = client.open(path.format(**known, practice=dr_haddad.practice_id), method=method, data={"reason": "x"})
    assert outcome(answer) in {"403", "404"}


def test_a_role_taken_back_is_gone_at_the_next_request(client: Any, admin: Any) -> None:
    from portal.core import clock
    from portal.domain.clinics.models import Membership

    client.sign_in(admin)
    assert outcome(client.get("/admin/users")) == "in"
    session().query(Membership).filter_by(user_id=admin.user_id).one().ended_at = clock.now()
    keep()
    assert outcome(client.get("/admin/users")) == "403"


def test_the_table_is_read_as_it_is_meant() -> None:
    assert expected("GET", "a.b", "patient+doctor", "404") == {
        "anonymous": "sign-in", "patient": "404", "doctor": "404", "staff": "403", "pharmacist": "403", "admin": "403",
        "superadmin": "403",
    }  # fmt: skip
    assert expected("POST", "a.b", "signed-in", "in")["anonymous"] == "401"
    assert set(expected("POST", "a.b", "everybody", "in").values()) == {"in"}
