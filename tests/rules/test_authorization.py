"""Every route for every role: what exactly each of them gets, and that nothing of others can be told from nothing.

Each route is asked about things that are there (tests/rules/world.py) with what is acceptable from whoever may
(asking.py, asking_own.py), so 2xx or 303 in TABLE means that it worked. A new route fails here until it has a line.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import UUIDConverter

from portal.core.clock import standing_at
from portal.core.db import keep, session
from portal.domain.clinics.models import Clinic
from tests.api.conftest import Program
from tests.builders import at, make_member, make_user
from tests.people import Person
from tests.rules.asking import NOWHERE
from tests.rules.asking_own import THEIRS
from tests.rules.walking import Key, Visitor, Walk, routes
from tests.rules.world import World

PEOPLE = {
    "stranger": None,
    "patient": "amina",
    "doctor": "dr_benali",
    "staff": "nadia",
    "pharmacist": "pharmacist",
    "admin": "admin",
    "superadmin": "superadmin",
}
STRANGERS = {"patient": "yacine", "doctor": "dr_haddad", "staff": "kamel", "admin": "other_admin"}  # of another clinic

# What each of PEOPLE gets, in their order; `sign-in` is being sent there. The visit, its patient, its doctor, her desk
# and admin are of one clinic.
TABLE = """
POST   account.accept_invitation              401     303     303     303     303     303     303
POST   account.add_allergy                    401     303     404     404     404     404     404
POST   account.become_patient                 401     409     303     303     303     303     303
POST   account.begin_factor                   401     303     303     303     303     303     303
GET    account.calendars                      sign-in 200     200     200     200     200     200
POST   account.change_details                 401     303     404     404     404     404     404
POST   account.change_profile                 401     303     303     303     303     303     303
GET    account.check_mail                     303     303     303     303     303     303     303
POST   account.confirm_factor                 401     201     201     201     201     201     201
POST   account.decline_by_link                303     303     303     303     303     303     303
POST   account.decline_invitation             401     303     303     303     303     303     303
POST   account.end_acting                     401     303     303     303     303     303     303
POST   account.end_all_acting                 401     303     303     303     303     303     303
POST   account.end_calendar                   401     303     404     404     404     404     404
GET    account.factor_help                    200     200     200     200     200     200     200
POST   account.factor_help                    303     303     303     303     303     303     303
GET    account.forgot                         200     200     200     200     200     200     200
POST   account.forgot                         303     303     303     303     303     303     303
GET    account.invitation                     200     200     200     200     200     200     200
POST   account.invitation                     303     200     200     200     200     200     200
GET    account.invitations                    sign-in 200     200     200     200     200     200
POST   account.language                       303     303     303     303     303     303     303
GET    account.mail_step_of_sign_in           200     200     200     200     200     200     200
POST   account.mail_step_of_sign_in           303     303     303     303     303     303     303
POST   account.make_calendar                  401     201     403     403     403     403     403
GET    account.password                       sign-in 200     200     200     200     200     200
POST   account.password                       401     303     303     303     303     303     303
GET    account.profile                        sign-in 200     200     200     200     200     200
GET    account.provider                       404     404     404     404     404     404     404
GET    account.provider_back                  404     404     404     404     404     404     404
GET    account.register                       200     303     303     303     303     303     303
POST   account.register                       303     303     303     303     303     303     303
POST   account.remove_allergy                 401     303     403     403     404     403     403
POST   account.remove_factor                  401     303     303     303     303     303     303
POST   account.renew_codes                    401     201     201     201     201     201     201
POST   account.resend                         303     303     303     303     303     303     303
GET    account.reset                          200     200     200     200     200     200     200
POST   account.reset                          303     303     303     303     303     303     303
GET    account.second_factor                  sign-in 200     200     200     200     200     200
GET    account.second_step_of_sign_in         200     200     200     200     200     200     200
POST   account.second_step_of_sign_in         303     303     303     303     303     303     303
GET    account.security                       sign-in 200     200     200     200     200     200
GET    account.sign_in                        200     303     303     303     303     303     303
POST   account.sign_in                        303     303     303     303     303     303     303
POST   account.sign_out                       401     303     303     303     303     303     303
GET    account.sudo                           sign-in 200     200     200     200     200     200
POST   account.sudo                           401     303     303     303     303     303     303
POST   account.theme                          303     303     303     303     303     303     303
GET    account.verify                         200     200     200     200     200     200     200
POST   account.verify                         303     303     303     303     303     303     303
POST   admin.add_group                        401     403     403     403     403     303     303
POST   admin.add_holiday                      401     403     403     403     403     303     303
POST   admin.add_opening                      401     403     403     403     403     303     303
POST   admin.add_reminder                     401     403     403     403     403     303     303
POST   admin.add_resource                     401     403     403     403     403     303     303
POST   admin.add_visit_type                   401     403     403     403     403     303     303
GET    admin.audit                            sign-in 403     403     403     403     200     200
POST   admin.break_opening                    401     403     403     403     403     303     303
POST   admin.change_client                    401     403     403     403     403     303     303
POST   admin.change_clinic                    401     403     403     403     403     303     303
POST   admin.change_doctor                    401     403     403     403     403     303     303
POST   admin.change_group                     401     403     403     403     403     303     303
POST   admin.change_opening                   401     403     403     403     403     303     303
POST   admin.change_reminder                  401     403     403     403     403     303     303
POST   admin.change_resource                  401     403     403     403     403     303     303
POST   admin.change_visit_type                401     403     403     403     403     303     303
POST   admin.change_webhook                   401     403     403     403     403     303     303
GET    admin.client                           sign-in 403     403     403     403     200     200
GET    admin.clinic                           sign-in 403     403     403     403     200     200
GET    admin.clinic_closures                  sign-in 403     403     403     403     200     200
GET    admin.clinics                          sign-in 403     403     403     403     200     200
POST   admin.close_clinic                     401     403     403     403     403     303     303
POST   admin.close_resource                   401     403     403     403     403     303     303
POST   admin.connect_doctor                   401     403     403     403     403     303     303
POST   admin.copy_day                         401     403     403     403     403     303     303
GET    admin.copy_hours                       sign-in 403     403     403     403     200     200
POST   admin.copy_week                        401     403     403     403     403     303     303
POST   admin.create_client                    401     403     403     403     403     201     201
POST   admin.create_clinic                    401     403     403     403     403     403     303
POST   admin.create_doctor                    401     403     403     403     403     303     303
POST   admin.create_webhook                   401     403     403     403     403     201     201
POST   admin.deactivate_clinic                401     403     403     403     403     403     303
POST   admin.deactivate_user                  401     403     403     403     403     403     303
POST   admin.decide_amendment                 401     403     403     403     403     303     303
GET    admin.doctor                           sign-in 403     403     403     403     200     200
GET    admin.doctors                          sign-in 403     403     403     403     200     200
GET    admin.edit_client                      sign-in 403     403     403     403     200     200
GET    admin.edit_clinic                      sign-in 403     403     403     403     200     200
GET    admin.edit_doctor                      sign-in 403     403     403     403     200     200
GET    admin.edit_webhook                     sign-in 403     403     403     403     200     200
POST   admin.end_client                       401     403     403     403     403     303     303
POST   admin.end_group                        401     403     403     403     403     303     303
POST   admin.end_membership                   401     403     403     403     403     303     303
POST   admin.end_practice                     401     403     403     403     403     303     303
POST   admin.export_audit                     401     403     403     403     403     403     200
GET    admin.figures                          sign-in 403     403     403     403     200     200
GET    admin.figures_csv                      sign-in 403     403     403     403     200     200
GET    admin.hide_form                        sign-in 403     403     403     403     200     200
POST   admin.hide_review                      401     403     403     403     403     303     303
POST   admin.invite_user                      401     403     403     403     403     303     303
GET    admin.new_client                       sign-in 403     403     403     403     200     200
GET    admin.new_clinic                       sign-in 403     403     403     403     403     200
GET    admin.new_doctor                       sign-in 403     403     403     403     200     200
GET    admin.new_opening                      sign-in 403     403     403     403     200     200
GET    admin.new_user                         sign-in 403     403     403     403     200     200
GET    admin.new_visit_type                   sign-in 403     403     403     403     200     200
GET    admin.new_webhook                      sign-in 403     403     403     403     200     200
GET    admin.opening                          sign-in 403     403     403     403     200     200
GET    admin.openings                         sign-in 403     403     403     403     200     200
GET    admin.openings_preview                 sign-in 403     403     403     403     200     200
POST   admin.pause_webhook                    401     403     403     403     403     303     303
GET    admin.programs_list                    sign-in 403     403     403     403     200     200
POST   admin.reactivate_clinic                401     403     403     403     403     403     303
POST   admin.reactivate_user                  401     403     403     403     403     403     303
GET    admin.reminders                        sign-in 403     403     403     403     200     200
POST   admin.remove_factor                    401     403     403     403     403     303     303
POST   admin.remove_holiday                   401     403     403     403     403     303     303
POST   admin.remove_opening                   401     403     403     403     403     303     303
POST   admin.remove_reminder                  401     403     403     403     403     303     303
POST   admin.remove_webhook                   401     403     403     403     403     303     303
POST   admin.renew_secret                     401     403     403     403     403     200     200
POST   admin.reopen_clinic                    401     403     403     403     403     303     303
POST   admin.reopen_resource                  401     403     403     403     403     303     303
POST   admin.replay_failed_messages           401     403     403     403     403     303     303
POST   admin.replay_message                   401     403     403     403     403     303     303
GET    admin.resource                         sign-in 403     403     403     403     200     200
POST   admin.resume_webhook                   401     403     403     403     403     303     303
POST   admin.retry_task                       401     403     403     403     403     403     303
GET    admin.reviews                          sign-in 403     403     403     403     200     200
GET    admin.room_group                       sign-in 403     403     403     403     200     200
GET    admin.rooms                            sign-in 403     403     403     403     200     200
POST   admin.rotate_webhook                   401     403     403     403     403     200     200
POST   admin.search_doctors                   401     403     403     403     403     303     303
POST   admin.search_users                     401     403     403     403     403     303     303
POST   admin.send_invitation                  401     403     403     403     403     303     303
POST   admin.show_review                      401     403     403     403     403     303     303
POST   admin.start_practice                   401     403     403     403     403     303     303
POST   admin.stretch_opening                  401     403     403     403     403     303     303
POST   admin.take_holidays                    401     403     403     403     403     303     303
GET    admin.tasks                            sign-in 403     403     403     403     403     200
POST   admin.test_webhook                     401     403     403     403     403     303     303
POST   admin.try_opening                      401     403     403     403     403     200     200
GET    admin.user                             sign-in 403     403     403     403     200     200
GET    admin.users                            sign-in 403     403     403     403     200     200
POST   admin.verify_doctor                    401     403     403     403     403     303     303
GET    admin.visit_type                       sign-in 403     403     403     403     200     200
POST   admin.visit_type_words                 401     403     403     403     403     200     200
GET    admin.webhook                          sign-in 403     403     403     403     200     200
GET    admin.webhooks                         sign-in 403     403     403     403     200     200
POST   admin.withdraw_doctor                  401     403     403     403     403     303     303
POST   admin.withdraw_invitation              401     403     403     403     403     303     303
POST   api_v1.accept_care_invitation          401     200     200     200     200     200     200
POST   api_v1.accept_clinic_invitation        401     204     204     204     204     204     204
POST   api_v1.accept_offer                    401     200     200     200     404     200     200
POST   api_v1.accept_proposal                 401     200     200     200     404     200     200
POST   api_v1.accept_record_request           401     200     403     403     404     403     403
POST   api_v1.add_allergy                     401     201     404     404     404     404     404
POST   api_v1.add_break                       401     404     201     201     404     201     201
POST   api_v1.add_dependant                   401     201     201     201     201     201     201
POST   api_v1.add_holiday                     401     404     404     404     404     201     201
POST   api_v1.add_opening                     401     404     201     201     404     201     201
POST   api_v1.add_resource                    401     404     404     404     404     201     201
POST   api_v1.add_room_group                  401     404     404     404     404     201     201
POST   api_v1.add_visit_type                  401     404     404     404     404     201     201
POST   api_v1.add_walk_in                     401     404     201     201     404     201     201
PUT    api_v1.answer_review                   401     403     200     403     403     403     403
POST   api_v1.apply_change                    401     404     200     200     404     200     200
POST   api_v1.arrive                          401     200     403     403     404     403     403
POST   api_v1.ask_for_carer                   401     404     404     202     404     202     202
POST   api_v1.ask_to_hand_over                401     404     404     202     404     202     202
POST   api_v1.ask_to_join                     401     404     202     202     404     202     202
POST   api_v1.become_patient                  401     409     201     201     201     201     201
POST   api_v1.book                            401     201     403     403     403     403     403
POST   api_v1.book_series                     401     404     201     201     404     201     201
POST   api_v1.call                            401     404     200     200     404     200     200
POST   api_v1.call_next                       401     404     200     200     404     200     200
POST   api_v1.call_off                        401     200     200     200     404     200     200
POST   api_v1.cancel                          401     200     200     200     404     200     200
POST   api_v1.cancel_series                   401     200     200     200     404     200     200
PUT    api_v1.change_care                     401     200     404     404     404     404     403
PUT    api_v1.change_clinic                   401     404     404     404     404     200     200
PUT    api_v1.change_doctor_profile           401     404     200     404     404     200     200
PUT    api_v1.change_my_doctor_profile        401     404     200     404     404     404     404
PUT    api_v1.change_opening                  401     404     200     200     404     200     200
POST   api_v1.change_password                 401     204     204     204     204     204     204
PUT    api_v1.change_patient                  401     404     403     200     404     200     200
PUT    api_v1.change_profile                  401     200     404     404     404     404     404
PUT    api_v1.change_resource                 401     404     404     404     404     200     200
PUT    api_v1.change_room_group               401     404     404     404     404     200     200
PUT    api_v1.change_visit_type               401     404     404     404     404     200     200
PATCH  api_v1.change_wait                     401     200     200     200     404     200     200
PATCH  api_v1.change_webhook                  401     404     404     404     404     200     200
POST   api_v1.check_in                        401     403     200     200     404     200     200
POST   api_v1.choose_time                     401     200     200     200     404     200     200
POST   api_v1.close_clinic                    401     404     404     404     404     201     201
POST   api_v1.close_doctor                    401     404     201     201     404     201     201
POST   api_v1.close_practice                  401     404     201     201     404     201     201
POST   api_v1.close_resource                  401     404     404     404     404     200     200
GET    api_v1.collected                       200     200     200     200     200     200     200
POST   api_v1.complete                        401     404     200     200     404     200     200
POST   api_v1.confirm                         401     403     200     200     404     200     200
POST   api_v1.confirm_amendment               401     404     403     404     404     200     200
POST   api_v1.confirm_record_request          401     404     403     403     404     200     403
POST   api_v1.create_clinic                   401     403     403     403     403     403     201
POST   api_v1.create_doctor                   401     404     404     404     404     201     201
POST   api_v1.deactivate_clinic               401     404     404     404     404     403     200
POST   api_v1.deactivate_user                 401     403     403     403     403     403     200
PATCH  api_v1.decide                          401     404     200     200     404     200     200
POST   api_v1.decline                         401     403     200     200     404     200     200
POST   api_v1.decline_clinic_invitation       401     204     204     204     204     204     204
POST   api_v1.decline_invitation              401     204     403     403     404     403     403
POST   api_v1.decline_offer                   401     200     200     200     404     200     200
POST   api_v1.dispute_record_request          401     200     404     404     404     404     404
GET    api_v1.docs                            200     200     200     200     200     200     200
DELETE api_v1.drop_change                     401     404     204     204     404     204     204
DELETE api_v1.end_acting                      401     204     204     204     204     204     204
POST   api_v1.end_all_acting                  401     204     204     204     204     204     204
DELETE api_v1.end_calendar                    401     204     404     404     404     404     404
DELETE api_v1.end_care                        401     204     404     404     404     404     204
DELETE api_v1.end_membership                  401     404     404     404     404     204     204
DELETE api_v1.end_practice                    401     404     404     404     404     204     204
DELETE api_v1.end_room_group                  401     404     404     404     404     204     204
DELETE api_v1.end_session                     401     204     404     404     404     404     404
POST   api_v1.enter_patient                   401     403     201     201     403     201     201
GET    api_v1.explorer                        200     200     200     200     200     200     200
POST   api_v1.extend_hold                     401     200     200     200     200     200     200
POST   api_v1.forgot_password                 202     202     202     202     202     202     202
GET    api_v1.get_appointment                 401     200     200     200     404     200     200
GET    api_v1.get_appointment_calendar        401     200     200     200     404     200     200
GET    api_v1.get_board                       200     200     200     200     200     200     200
GET    api_v1.get_care                        401     200     404     404     404     404     403
GET    api_v1.get_chain                       401     403     403     403     403     403     200
GET    api_v1.get_change                      401     404     200     200     404     200     200
GET    api_v1.get_clinic                      200     200     200     200     200     200     200
GET    api_v1.get_clinic_figures              401     404     404     404     404     200     200
GET    api_v1.get_clinic_invitation           401     404     404     404     404     200     200
GET    api_v1.get_clinic_queue                401     404     404     200     404     200     200
GET    api_v1.get_doctor                      200     200     200     200     200     200     200
GET    api_v1.get_doctor_figures              401     404     200     404     404     404     404
GET    api_v1.get_doctor_profile              401     404     200     404     404     200     200
GET    api_v1.get_doctor_queue                401     404     200     200     404     200     200
GET    api_v1.get_family                      401     200     200     200     200     200     200
GET    api_v1.get_history                     401     200     200     200     404     200     200
GET    api_v1.get_hold                        200     200     200     200     200     200     200
GET    api_v1.get_invitation                  401     200     200     200     404     200     200
GET    api_v1.get_message                     401     404     404     404     404     200     200
GET    api_v1.get_my_doctor_profile           401     404     200     404     404     404     404
GET    api_v1.get_offer                       401     200     200     200     404     200     200
GET    api_v1.get_opening                     401     404     200     200     404     200     200
GET    api_v1.get_patient                     401     404     200     200     404     200     200
GET    api_v1.get_patient_card                401     404     200     200     404     200     200
GET    api_v1.get_patient_health              401     404     200     200     404     200     404
GET    api_v1.get_profile                     401     200     404     404     404     404     404
GET    api_v1.get_record_request              401     200     200     200     404     200     200
GET    api_v1.get_resource                    401     404     404     404     404     200     200
GET    api_v1.get_review                      401     200     200     200     404     200     200
GET    api_v1.get_room_group                  401     404     404     404     404     200     200
GET    api_v1.get_series                      401     200     200     200     404     200     200
GET    api_v1.get_standing                    401     200     200     200     404     200     200
GET    api_v1.get_task                        401     403     403     403     403     403     200
POST   api_v1.invite_user                     401     404     404     404     404     201     201
PATCH  api_v1.change_user                     401     403     403     403     403     200     200
DELETE api_v1.remove_user                     401     403     403     403     403     403     204
GET    api_v1.get_user                        401     403     403     403     403     200     200
GET    api_v1.get_visit_type                  401     404     404     404     404     200     200
GET    api_v1.get_wait                        401     200     200     200     404     200     200
GET    api_v1.get_webhook                     401     404     404     404     404     200     200
POST   api_v1.hand_over                       401     201     403     201     404     201     201
POST   api_v1.hide_review                     401     403     403     403     403     200     200
POST   api_v1.invite                          401     403     201     201     403     201     201
POST   api_v1.invite_carer                    401     201     403     403     404     403     403
POST   api_v1.invite_doctor                   401     404     404     404     404     201     201
POST   api_v1.invite_member                   401     404     404     404     404     201     201
POST   api_v1.join_waitlist                   401     201     403     403     403     403     403
PUT    api_v1.keep_doctor                     401     204     403     403     403     403     403
POST   api_v1.leave_waitlist                  401     200     200     200     404     200     200
DELETE api_v1.let_doctor_go                   401     204     403     403     403     403     403
GET    api_v1.list_acting                     401     200     200     200     200     200     200
GET    api_v1.list_any_slots                  200     200     200     200     200     200     200
GET    api_v1.list_appointments               401     200     200     200     200     200     200
GET    api_v1.list_calendars                  401     200     200     200     200     200     200
GET    api_v1.list_carers                     401     200     404     200     404     200     200
GET    api_v1.list_changes                    401     200     200     200     200     200     200
GET    api_v1.list_choices                    200     200     200     200     200     200     200
GET    api_v1.list_choices_of_proposal        401     200     200     200     404     200     200
GET    api_v1.list_clinic_appointments        401     404     404     200     404     200     200
GET    api_v1.list_clinic_closures            401     404     404     404     404     200     200
GET    api_v1.list_clinic_invitations         401     404     404     404     404     200     200
GET    api_v1.list_clinic_visit_types         401     404     404     404     404     200     200
GET    api_v1.list_clinic_waits               401     404     200     200     404     200     200
GET    api_v1.list_clinics                    200     200     200     200     200     200     200
GET    api_v1.list_collisions                 401     403     200     200     403     200     200
GET    api_v1.list_doctor_appointments        401     404     200     200     404     200     200
GET    api_v1.list_doctor_closures            401     404     200     200     404     200     200
GET    api_v1.list_doctors                    200     200     200     200     200     200     200
GET    api_v1.list_events                     401     403     403     403     403     200     200
GET    api_v1.list_favourites                 401     200     200     200     200     200     200
GET    api_v1.list_holidays                   401     404     404     404     404     200     200
GET    api_v1.list_invitations                401     200     200     200     200     200     200
GET    api_v1.list_many_slots                 200     200     200     200     200     200     200
GET    api_v1.list_members                    401     404     404     404     404     200     200
GET    api_v1.list_merges                     401     404     200     200     404     200     200
GET    api_v1.list_messages                   401     404     404     404     404     200     200
GET    api_v1.list_my_clinic_invitations      401     200     200     200     200     200     200
GET    api_v1.list_my_clinics                 401     200     200     200     200     200     200
GET    api_v1.list_my_doctors                 401     200     200     200     200     200     200
GET    api_v1.list_notifications              401     200     200     200     200     200     200
GET    api_v1.list_offers                     401     200     200     200     404     200     200
GET    api_v1.list_openings                   401     404     200     200     404     200     200
GET    api_v1.list_patient_invitations        401     200     200     200     200     200     200
GET    api_v1.list_proposals                  401     200     200     200     200     200     200
GET    api_v1.list_public_holidays            401     404     404     404     404     200     200
GET    api_v1.list_record_requests            401     200     200     200     200     200     200
GET    api_v1.list_reviews                    200     200     200     200     200     200     200
GET    api_v1.list_reviews_about_me           401     403     200     403     403     403     403
GET    api_v1.list_reviews_of_clinics         401     403     403     403     403     200     200
GET    api_v1.list_rooms                      401     404     404     404     404     200     200
GET    api_v1.list_sessions                   401     200     200     200     200     200     200
GET    api_v1.list_slots                      200     200     200     200     200     200     200
GET    api_v1.list_specialties                200     200     200     200     200     200     200
GET    api_v1.list_tasks                      401     403     403     403     403     403     200
GET    api_v1.list_times_for_wait             401     200     200     200     404     200     200
GET    api_v1.list_times_to_propose           401     404     200     200     404     200     200
GET    api_v1.list_users                      401     403     403     403     403     200     200
GET    api_v1.list_visit_types                200     200     200     200     200     200     200
GET    api_v1.list_waits                      401     200     200     200     200     200     200
GET    api_v1.list_webhook_events             200     200     200     200     200     200     200
GET    api_v1.list_webhooks                   401     200     200     200     200     200     200
POST   api_v1.login                           200     200     200     200     200     200     200
POST   api_v1.login_with_code                 200     200     200     200     200     200     200
POST   api_v1.login_with_mail_code            200     200     200     200     200     200     200
POST   api_v1.logout                          401     204     204     204     204     204     204
POST   api_v1.look_at_care_invitation         401     200     200     200     200     200     200
POST   api_v1.make_calendar                   401     201     403     403     403     403     403
POST   api_v1.make_offer                      401     404     201     201     404     201     201
POST   api_v1.make_webhook                    401     201     201     201     201     201     201
POST   api_v1.mark_all_notifications_read     401     204     204     204     204     204     204
POST   api_v1.mark_no_show                    401     404     200     200     404     200     200
DELETE api_v1.remove_notification             401     204     404     404     404     404     404
POST   api_v1.mark_notification_read          401     204     404     404     404     404     404
GET    api_v1.me                              401     200     200     200     200     200     200
POST   api_v1.merge_patients                  401     404     404     201     404     201     201
POST   api_v1.move_from_front                 401     404     200     200     404     200     200
POST   api_v1.move_to_front                   401     404     200     200     404     200     200
PUT    api_v1.note_death                      401     404     403     200     404     200     200
GET    api_v1.openapi                         200     200     200     200     200     200     200
POST   api_v1.pause_webhook                   401     404     404     404     404     200     200
POST   api_v1.place_any_hold                  201     201     201     201     201     201     201
POST   api_v1.place_hold                      201     201     201     201     201     201     201
POST   api_v1.plan_change                     401     404     201     201     404     201     201
GET    api_v1.plan_series                     401     200     200     200     404     200     200
GET    api_v1.preview_merge                   401     404     404     200     404     200     200
POST   api_v1.propose_time                    401     404     200     200     404     200     200
PUT    api_v1.put_profile                     401     200     200     200     200     200     200
POST   api_v1.reactivate_clinic               401     404     404     404     404     403     200
POST   api_v1.reactivate_user                 401     403     403     403     403     403     200
POST   api_v1.refresh                         200     200     200     200     200     200     200
POST   api_v1.refuse_record_request           401     200     403     403     404     403     403
POST   api_v1.register                        202     202     202     202     202     202     202
POST   api_v1.reject_amendment                401     404     403     404     404     200     200
DELETE api_v1.release_hold                    204     204     204     204     204     204     204
DELETE api_v1.remove_allergy                  401     204     404     404     404     404     404
DELETE api_v1.remove_closure                  401     404     204     204     404     204     204
DELETE api_v1.remove_holiday                  401     404     404     404     404     204     204
DELETE api_v1.remove_opening                  401     404     204     204     404     204     204
DELETE api_v1.remove_webhook                  401     404     404     404     404     204     204
PUT    api_v1.rename_patient                  401     200     404     404     404     404     404
POST   api_v1.renew_change                    401     404     200     200     404     200     200
POST   api_v1.reopen_resource                 401     404     404     404     404     200     200
POST   api_v1.replay_failed                   401     404     404     404     404     200     200
POST   api_v1.replay_message                  401     404     404     404     404     200     200
PUT    api_v1.change_reason                   401     200     403     403     404     403     403
POST   api_v1.reschedule                      401     200     200     200     404     200     200
POST   api_v1.reset_password                  204     204     204     204     204     204     204
POST   api_v1.resume_webhook                  401     404     404     404     404     200     200
POST   api_v1.retry_task                      401     403     403     403     403     403     200
POST   api_v1.rotate_webhook                  401     404     404     404     404     200     200
POST   api_v1.search_clinic_waits             401     404     200     200     404     200     200
POST   api_v1.search_my_doctors               401     200     200     200     200     200     200
POST   api_v1.search_patients                 401     200     200     200     200     200     200
POST   api_v1.search_users                    401     403     403     403     403     200     200
POST   api_v1.see_record_request              401     200     404     404     404     404     404
POST   api_v1.send_back                       401     404     200     200     404     200     200
POST   api_v1.send_clinic_invitation          401     404     404     404     404     200     200
POST   api_v1.show_review                     401     403     403     403     403     200     200
POST   api_v1.start                           401     404     200     200     404     200     200
POST   api_v1.start_practice                  401     404     404     404     404     201     201
GET    api_v1.stream                          401     200     200     200     200     200     200
POST   api_v1.take_back                       401     404     200     200     404     200     200
POST   api_v1.take_public_holidays            401     404     404     404     404     200     200
POST   api_v1.test_webhook                    401     404     404     404     404     201     201
DELETE api_v1.undo_death                      401     404     403     200     404     200     200
POST   api_v1.undo_merge                      401     404     404     200     404     200     200
POST   api_v1.verify_email                    204     204     204     204     204     204     204
POST   api_v1.verify_licence                  401     404     403     404     404     200     200
GET    api_v1.websocket                       426     426     426     426     426     426     426
DELETE api_v1.withdraw_amendment              401     404     204     404     404     204     204
DELETE api_v1.withdraw_care_invitation        401     204     404     404     404     404     204
DELETE api_v1.withdraw_clinic_invitation      401     404     404     404     404     204     204
POST   api_v1.withdraw_invitation             401     403     204     204     404     204     204
POST   api_v1.withdraw_licence                401     404     403     404     404     200     200
POST   api_v1.withdraw_record_request         401     403     403     200     404     200     200
PUT    api_v1.write_review                    401     200     403     403     404     403     403
POST   changes.accept                         401     403     303     303     403     303     303
POST   changes.apply                          401     403     303     303     403     303     303
GET    changes.change                         sign-in 403     200     200     403     200     200
POST   changes.drop                           401     403     303     303     403     303     303
GET    changes.index                          sign-in 403     200     200     403     200     200
GET    changes.other_times                    sign-in 403     200     200     403     200     200
POST   changes.propose                        401     403     303     303     403     303     303
POST   changes.remember                       401     403     303     303     403     303     303
POST   changes.renew                          401     403     303     303     403     303     303
GET    consent.authorize                      sign-in 200     200     200     200     200     200
POST   consent.decide                         401     303     303     303     303     303     303
POST   desk.add_opening                       401     403     403     303     403     303     303
POST   desk.add_patient                       401     403     403     303     403     303     303
POST   desk.add_waiting                       401     403     403     303     403     303     303
POST   desk.add_walk_in                       401     403     403     303     403     303     303
POST   desk.answer_for                        401     403     403     303     403     303     303
GET    desk.appointment                       sign-in 403     403     200     403     200     200
POST   desk.appointment_step                  401     403     403     303     403     303     303
GET    desk.arrival_sign                      sign-in 403     403     200     403     200     200
POST   desk.ask_for_carer                     401     403     403     303     403     303     303
POST   desk.ask_to_join                       401     403     403     303     403     303     303
GET    desk.book                              sign-in 403     403     200     403     200     200
POST   desk.book_for                          401     403     403     303     403     303     303
POST   desk.book_series                       401     403     403     303     403     303     303
POST   desk.break_opening                     401     403     403     303     403     303     303
GET    desk.calendar                          sign-in 403     403     200     403     200     200
GET    desk.calendar_events                   sign-in 403     403     200     403     200     200
POST   desk.call                              401     403     403     303     403     303     303
POST   desk.call_next                         401     403     403     303     403     303     303
GET    desk.calls                             sign-in 403     403     200     403     200     200
POST   desk.cancel                            401     403     403     303     403     303     303
POST   desk.change_opening                    401     403     403     303     403     303     303
POST   desk.change_patient                    401     403     403     303     403     303     303
POST   desk.change_waiting                    401     403     403     303     403     303     303
GET    desk.choose_to_merge                   sign-in 403     403     200     403     200     200
POST   desk.confirm_request                   401     403     403     403     403     303     403
POST   desk.copy_day                          401     403     403     303     403     303     303
GET    desk.copy_hours                        sign-in 403     403     200     403     200     200
POST   desk.copy_week                         401     403     403     303     403     303     303
GET    desk.day                               sign-in 403     403     200     403     200     200
GET    desk.death                             sign-in 403     403     200     403     200     200
POST   desk.decline                           401     403     403     303     403     303     303
GET    desk.edit_patient                      sign-in 403     403     200     403     200     200
POST   desk.end_care_of                       401     403     403     404     403     404     303
POST   desk.end_waiting                       401     403     403     303     403     303     303
POST   desk.enter_walk_in                     401     403     403     303     403     303     303
POST   desk.find_to_merge                     401     403     403     200     403     200     200
POST   desk.hand_record_over                  401     403     403     303     403     303     303
POST   desk.merge_patients                    401     403     403     303     403     303     303
GET    desk.move                              sign-in 403     403     200     403     200     200
POST   desk.move_on_calendar                  401     403     403     303     403     303     303
POST   desk.move_to                           401     403     403     303     403     303     303
GET    desk.new_opening                       sign-in 403     403     200     403     200     200
GET    desk.new_patient                       sign-in 403     403     200     403     200     200
GET    desk.new_waiting                       sign-in 403     403     200     403     200     200
GET    desk.new_walk_in                       sign-in 403     403     200     403     200     200
POST   desk.note_death                        401     403     403     303     403     303     303
POST   desk.offer_now                         401     403     403     303     403     303     303
GET    desk.opening                           sign-in 403     403     200     403     200     200
GET    desk.openings                          sign-in 403     403     200     403     200     200
GET    desk.openings_preview                  sign-in 403     403     200     403     200     200
GET    desk.patient                           sign-in 403     403     200     403     200     200
GET    desk.patient_family                    sign-in 403     403     200     403     200     200
GET    desk.patients                          sign-in 403     403     200     403     200     200
GET    desk.practices                         sign-in 403     403     200     403     200     200
GET    desk.preview_merge                     sign-in 403     403     200     403     200     200
POST   desk.remove_opening                    401     403     403     303     403     303     303
POST   desk.reopen_call                       401     403     403     303     403     303     303
GET    desk.request_to_patient                sign-in 403     403     200     403     200     200
GET    desk.requests                          sign-in 403     403     200     403     200     200
POST   desk.search_book                       401     403     403     303     403     303     303
POST   desk.search_day                        401     403     403     303     403     303     303
POST   desk.search_new_waiting                401     403     403     303     403     303     303
POST   desk.search_patients                   401     403     403     303     403     303     303
POST   desk.search_waitlist                   401     403     403     303     403     303     303
POST   desk.search_walk_in                    401     403     403     303     403     303     303
GET    desk.series                            sign-in 403     403     200     403     200     200
POST   desk.stretch_opening                   401     403     403     303     403     303     303
POST   desk.try_opening                       401     403     403     200     403     200     200
POST   desk.undo_death                        401     403     403     303     403     303     303
POST   desk.undo_merge                        401     403     403     303     403     303     303
POST   desk.visit_step                        401     403     403     303     403     303     303
GET    desk.waiting                           sign-in 403     403     200     403     200     200
GET    desk.waitlist                          sign-in 403     403     200     403     200     200
GET    desk.why_not                           sign-in 403     403     200     403     200     200
POST   desk.withdraw_request                  401     403     403     303     403     303     303
GET    dev.attachment                         200     200     200     200     200     200     200
GET    dev.letter                             200     200     200     200     200     200     200
GET    dev.letter_html                        200     200     200     200     200     200     200
GET    dev.mail                               200     200     200     200     200     200     200
POST   dev.search_mail                        303     303     303     303     303     303     303
POST   doctor.add_opening                     401     403     303     403     403     403     403
POST   doctor.add_time_off                    401     403     303     403     403     403     403
GET    doctor.answer_form                     sign-in 403     200     403     403     403     403
POST   doctor.answer_review                   401     403     303     403     403     403     403
GET    doctor.appointment                     sign-in 403     200     403     403     403     403
GET    doctor.book                            sign-in 403     200     403     403     403     403
POST   doctor.book_for                        401     403     303     403     403     403     403
POST   doctor.book_series                     401     403     303     403     403     403     403
POST   doctor.break_opening                   401     403     303     403     403     403     403
POST   doctor.call_next                       401     403     303     403     403     403     403
POST   doctor.cancel                          401     403     303     403     403     403     403
POST   doctor.change_opening                  401     403     303     403     403     403     403
POST   doctor.change_profile                  401     403     303     403     403     403     403
POST   doctor.copy_day                        401     403     303     403     403     403     403
GET    doctor.copy_hours                      sign-in 403     200     403     403     403     403
POST   doctor.copy_week                       401     403     303     403     403     403     403
POST   doctor.decline                         401     403     303     403     403     403     403
GET    doctor.figures                         sign-in 403     200     403     403     403     403
GET    doctor.figures_csv                     sign-in 403     200     403     403     403     403
GET    doctor.invite                          sign-in 403     200     403     403     403     403
GET    doctor.move                            sign-in 403     200     403     403     403     403
POST   doctor.move_on_week                    401     403     303     403     403     403     403
POST   doctor.move_to                         401     403     303     403     403     403     403
GET    doctor.new_opening                     sign-in 403     200     403     403     403     403
GET    doctor.opening                         sign-in 403     200     403     403     403     403
GET    doctor.openings                        sign-in 403     200     403     403     403     403
GET    doctor.openings_preview                sign-in 403     200     403     403     403     403
GET    doctor.profile                         sign-in 403     200     403     403     403     403
POST   doctor.remove_opening                  401     403     303     403     403     403     403
POST   doctor.remove_time_off                 401     403     303     403     403     403     403
GET    doctor.reviews                         sign-in 403     200     403     403     403     403
POST   doctor.search_book                     401     403     303     403     403     403     403
POST   doctor.send_invitation                 401     403     303     403     403     403     403
GET    doctor.series                          sign-in 403     200     403     403     403     403
POST   doctor.step                            401     403     303     403     403     403     403
POST   doctor.stretch_opening                 401     403     303     403     403     403     403
GET    doctor.time_off                        sign-in 403     200     403     403     403     403
GET    doctor.today                           sign-in 403     200     403     403     403     403
POST   doctor.try_opening                     401     403     200     403     403     403     403
GET    doctor.week                            sign-in 403     200     403     403     403     403
GET    doctor.week_events                     sign-in 403     200     403     403     403     403
GET    doctor.why_not                         sign-in 403     200     403     403     403     403
POST   doctor.withdraw_amendment              401     403     303     403     403     403     403
POST   doctor.withdraw_invitation             401     403     303     403     403     403     403
POST   family.accept_invitation               401     303     303     303     303     303     303
GET    family.invitation                      sign-in 200     200     200     200     200     200
GET    notifications.badge                    sign-in 200     200     200     200     200     200
GET    notifications.index                    sign-in 200     200     200     200     200     200
POST   notifications.mark_all_read            401     303     303     303     303     303     303
POST   notifications.remove                   401     303     404     404     404     404     404
POST   notifications.mark_read                401     303     404     404     404     404     404
POST   oauth.introspect                       200     200     200     200     200     200     200
GET    oauth.key_set                          200     200     200     200     200     200     200
GET    oauth.metadata                         200     200     200     200     200     200     200
POST   oauth.revoke                           200     200     200     200     200     200     200
POST   oauth.token                            200     200     200     200     200     200     200
GET    ops.detailed                           404     404     404     404     404     404     503
GET    ops.figures                            404     404     404     404     404     404     404
GET    ops.health                             200     200     200     200     200     200     200
GET    ops.ready                              200     200     200     200     200     200     200
POST   patient.accept_request                 401     303     403     403     403     403     403
POST   patient.add_dependant                  401     303     403     403     403     403     403
POST   patient.answer_change                  401     303     403     403     403     403     403
POST   patient.answer_offer                   401     303     403     403     403     403     403
GET    patient.appointment                    sign-in 200     403     403     403     403     403
GET    patient.appointments                   sign-in 200     403     403     403     403     403
POST   patient.arrive                         401     303     403     403     403     403     403
GET    patient.arriving                       sign-in 303     403     403     403     403     403
GET    patient.calendar                       sign-in 200     403     403     403     403     403
GET    patient.reason                         sign-in 200     403     403     403     403     403
POST   patient.change_reason                  401     303     403     403     403     403     403
GET    patient.cancel                         sign-in 200     403     403     403     403     403
POST   patient.cancel_appointment             401     303     403     403     403     403     403
GET    patient.care_of                        sign-in 200     403     403     403     403     403
GET    patient.change                         sign-in 200     403     403     403     403     403
POST   patient.change_care                    401     303     403     403     403     403     403
POST   patient.change_dependant               401     303     403     403     403     403     403
POST   patient.change_waitlist                401     303     403     403     403     403     403
POST   patient.decline_invitation             401     303     403     403     403     403     403
GET    patient.dependant                      sign-in 200     403     403     403     403     403
GET    patient.dependant_profile              sign-in 200     403     403     403     403     403
POST   patient.dispute_request                401     303     403     403     403     403     403
POST   patient.end_care                       401     303     403     403     403     403     403
GET    patient.family                         sign-in 200     403     403     403     403     403
GET    patient.hand_over                      sign-in 200     403     403     403     403     403
GET    patient.home                           sign-in 200     403     403     403     403     403
GET    patient.invitation                     sign-in 200     403     403     403     403     403
GET    patient.invite_carer                   sign-in 200     403     403     403     403     403
POST   patient.join_waitlist                  401     303     403     403     403     403     403
POST   patient.keep_doctor                    401     303     403     403     403     403     403
POST   patient.leave_waitlist                 401     303     403     403     403     403     403
POST   patient.let_doctor_go                  401     303     403     403     403     403     403
GET    patient.move                           sign-in 200     403     403     403     403     403
GET    patient.new_dependant                  sign-in 200     403     403     403     403     403
POST   patient.refuse_request                 401     303     403     403     403     403     403
POST   patient.rename_dependant               401     303     403     403     403     403     403
GET    patient.request_of_clinic              sign-in 200     403     403     403     403     403
GET    patient.requests                       sign-in 200     403     403     403     403     403
POST   patient.reschedule                     401     303     403     403     403     403     403
GET    patient.review                         sign-in 200     403     403     403     403     403
POST   patient.see_request                    401     303     403     403     403     403     403
POST   patient.send_hand_over                 401     303     403     403     403     403     403
POST   patient.send_invitation                401     303     403     403     403     403     403
GET    patient.waitlist                       sign-in 200     403     403     403     403     403
GET    patient.waitlist_entry                 sign-in 200     403     403     403     403     403
GET    patient.waitlist_join                  sign-in 200     403     403     403     403     403
GET    patient.waitlist_offer                 sign-in 200     403     403     403     403     403
POST   patient.withdraw_invitation            401     303     403     403     403     403     403
POST   patient.write_review                   401     303     403     403     403     403     403
GET    public.any_times                       200     200     200     200     200     200     200
GET    public.arrive                          200     200     200     200     200     200     200
POST   public.arrived                         303     303     303     303     303     303     303
GET    public.board                           200     200     200     200     200     200     200
GET    public.book                            200     200     200     200     200     200     200
GET    public.book_any                        200     200     200     200     200     200     200
POST   public.book_appointment                303     303     303     303     404     303     303
GET    public.book_details                    303     303     303     303     303     303     303
GET    public.book_times                      200     200     200     200     200     200     200
GET    public.booked                          sign-in 200     200     200     404     200     200
GET    public.calendar_feed                   200     200     200     200     200     200     200
GET    public.clinic                          200     200     200     200     200     200     200
GET    public.directory                       200     200     200     200     200     200     200
GET    public.doctor                          200     200     200     200     200     200     200
GET    public.doctor_reviews                  200     200     200     200     200     200     200
GET    public.go                              200     200     200     200     200     200     200
POST   public.go_act                          403     303     403     403     403     403     403
POST   public.go_who                          303     303     303     303     303     303     303
POST   public.hold                            303     303     303     303     303     303     303
POST   public.hold_any                        303     303     303     303     303     303     303
GET    public.home                            200     200     200     200     200     200     200
GET    public.privacy                         200     200     200     200     200     200     200
GET    public.waiting                         200     200     200     200     200     200     200
GET    static                                 200     200     200     200     200     200     200
GET    stream.events                          401     200     200     200     200     200     200
"""

UNLIKE = {  # lines in which nobody gets in, or something else than yes, 401, 403 and 404 stands, and why
    "GET account.provider": "no provider of sign-in is configured in tests",
    "GET account.provider_back": "no provider of sign-in is configured in tests",
    "GET ops.figures": "nobody without METRICS_TOKEN, which tests of it set",
    "GET ops.detailed": "503 says to whoever may know that no worker runs here",
    "GET api_v1.websocket": "426: the tests' client speaks no WebSocket; tests/api/test_streams_live.py does",
    "POST account.become_patient": "409: a patient is one already",
    "POST api_v1.become_patient": "409: a patient is one already",
}
SHOWN = {  # routes about what everybody may see, so that who may not change it is told so, not that it is not there
    **dict.fromkeys(("answer_review", "hide_review", "show_review"), "reviews are read by everybody"),
    **dict.fromkeys(("keep_doctor", "let_doctor_go"), "doctors are found by everybody"),
    "list_collisions": "practices are found by everybody, and who may not arrange visits there is told so",
    "list_patient_invitations": "an empty list for either",
}


@cache
def table() -> dict[Key, tuple[str, ...]]:
    """What is expected: (method, endpoint) -> what each of PEOPLE gets."""
    lines = (line.split() for line in TABLE.splitlines() if line.strip())
    return {(method, endpoint): tuple(gets) for method, endpoint, *gets in lines}


def outcome(answer: Any) -> str:
    """What somebody gets: a status, or being sent to sign in."""
    if answer.status_code in {302, 303} and answer.headers["Location"].startswith("/account/sign-in?next="):
        return "sign-in"
    return str(answer.status_code)


def worked(got: str) -> bool:
    return got[0] in "23"


@pytest.fixture
def pharmacist(where: Flask, el_djazair: Any) -> Person:
    return _member("Rania", "Toumi", el_djazair, "pharmacist")


@pytest.fixture
def other_admin(where: Flask, wahran: Any) -> Person:
    return _member("Zoubir", "Amrani", wahran, "admin")


def _member(given: str, family: str, place: Any, role: str) -> Person:
    user = make_user(given, family)
    make_member(user, session().get_one(Clinic, place.clinic_id), role)
    keep()
    return Person(user.name, str(user.email), user.id)


@pytest.fixture
def world(client: Any, el_djazair: Any, dr_benali: Any, amina: Any, nadia: Any, admin: Any, superadmin: Any) -> World:
    return World(el_djazair, dr_benali, amina, nadia, admin, superadmin, client).build()


def test_every_route_has_its_line(app: Flask) -> None:
    assert set(routes(app)) - set(table()) == set(), "new routes need a line in TABLE: who may use them?"
    assert set(table()) - set(routes(app)) == set(), "these routes are gone"


def test_every_line_says_yes_to_somebody_and_no_in_one_of_three_ways() -> None:
    """A 409 or 422 is neither: the request was not acceptable, so it says nothing of who may."""
    odd = {
        " ".join(key)
        for key, gets in table().items()
        if not any(map(worked, gets)) or not all(worked(got) or got in {"sign-in", "401", "403", "404"} for got in gets)
    }
    assert odd == set(UNLIKE)
    assert all(len(gets) == len(PEOPLE) for gets in table().values())


@pytest.mark.parametrize("of_programs", [True, False])
def test_every_route_gives_each_what_the_table_says(
    app: Flask, client: Any, world: World, of_programs: bool, request: pytest.FixtureRequest
) -> None:
    found = {key: rule for key, rule in routes(app).items() if key[1].startswith("api_v1.") is of_programs}
    visitors = _visitors(client, world, PEOPLE, request)
    walk, wrong = Walk(app, client, world), []
    with standing_at(world.now):
        for key, rule in sorted(found.items()):
            answers = [walk.ask(visitor, key, rule) for visitor in visitors.values()]
            gets = [outcome(answer) for answer in answers]
            wrong += [f"{' '.join(key)} writes {odd}" for answer in answers for odd in _odd_attributes(answer)]
            if list(table().get(key, ())) != gets:
                wrong.append(f"{' '.join(key)} {' '.join(gets)}, not {' '.join(table().get(key, ('a line',)))}")
    assert wrong == []


def test_what_is_somebody_elses_is_as_if_it_were_not_there(
    app: Flask, client: Any, world: World, request: pytest.FixtureRequest
) -> None:
    """Patient, doctor, desk and admin of another clinic ask for each thing, and for one that is nowhere."""
    visitors = _visitors(client, world, STRANGERS, request)
    walk, told = Walk(app, client, world), []
    with standing_at(world.now):
        for key, rule in sorted(routes(app).items()):
            nowhere = {
                name: NOWHERE if isinstance(converter, UUIDConverter) else "unknown"
                for name, converter in rule._converters.items()
                if isinstance(converter, UUIDConverter) or name == "slug"
            }
            if not nowhere or _is_for_everybody(key):
                continue
            for visitor in _past_the_door(key, visitors):
                theirs, none = (_said(walk.ask(visitor, key, rule, instead)) for instead in ({}, nowhere))
                if theirs != none or theirs[0] not in {"403", "404"}:
                    told.append(f"{' '.join(key)} by {visitor.person.name}: {theirs}, nowhere {none}")
    assert told == []


def _odd_attributes(answer: Any) -> set[str]:
    """Attributes that say what a program calls nothing: in HTML autofocus="False" is as true as any."""
    said = answer.get_data(as_text=True) if answer.mimetype == "text/html" else ""
    return set(re.findall(r'\s[\w:-]+="(?:False|None|True)"', said))


def _is_for_everybody(key: Key) -> bool:
    """Shown to strangers, about something of one's own that was made with the request, or one of SHOWN."""
    return worked(table()[key][0]) or key[1] in THEIRS or key[1].partition(".")[2] in SHOWN


def _past_the_door(key: Key, visitors: dict[str, Visitor]) -> list[Visitor]:
    """Pages turn whole roles away before they look at anything."""
    gets = dict(zip(PEOPLE, table()[key], strict=True))
    of_programs = key[1].startswith("api_v1.")
    return [visitor for role, visitor in visitors.items() if of_programs or gets[role] != "403"]


def _said(answer: Any) -> tuple[str, str]:
    """The status, and to programs the code."""
    problem = answer.get_json(force=True, silent=True) if answer.mimetype == "application/problem+json" else None
    return outcome(answer), problem["code"] if problem else ""


def _visitors(client: Any, world: World, people: Any, request: pytest.FixtureRequest) -> dict[str, Visitor]:
    persons = {role: request.getfixturevalue(name) if name else None for role, name in people.items()}
    with standing_at(world.now):
        visitors = {role: Visitor.come(client, person) for role, person in persons.items()}
        keep()
    return visitors


# --- one's own and what is not: one visit of Amina with Dr Benali at El Djazair ---


@pytest.fixture
def visit(client: Any, amina: Any, wish: Callable[..., dict[str, Any]]) -> str:
    made = Program(client).as_(amina).post("/appointments", wish())
    assert made.status_code == 201
    return str(made.get_json()["id"])


@pytest.mark.parametrize(
    ("who", "door", "happens"),
    [
        ("amina", "patient", "200"),
        ("yacine", "patient", "404"),
        ("dr_benali", "doctor", "200"),
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
    assert outcome(client.get("/admin/users")) == "200"
    session().query(Membership).filter_by(user_id=admin.user_id).one().ended_at = clock.now()
    keep()
    assert outcome(client.get("/admin/users")) == "403"
