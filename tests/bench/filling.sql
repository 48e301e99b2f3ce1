-- 200 doctors at 20 clinics, 20,000 patients, 100,000 appointments. Ids are md5 of a name and a number, so that the
-- load can name them without asking. Values for :'password', :'hash_of' and :'today' are put in by ground.py.
-- Doctor d has 450 past visits (5 a day) and 50 to come (2 a day from tomorrow); from day 27 on every time is free.

CREATE FUNCTION bench_id(kind text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT overlay(md5(kind || n) PLACING '7' FROM 13 FOR 1)::uuid $$;

INSERT INTO users (id, created_at, updated_at, email, password_hash, given_name, family_name, locale, is_superadmin,
                   email_verified_at, password_changed_at)
SELECT bench_id('user', n), now(), now(), 'p' || n || '@bench.dz', :'password',
       (ARRAY['Amina','Yacine','Meriem','Bilal','Nour','Riad','Selma','Ilyes'])[1 + n % 8], 'Patient' || n, 'en', false,
       now(), now()
  FROM generate_series(1, 20000) n;
INSERT INTO users (id, created_at, updated_at, email, password_hash, given_name, family_name, locale, is_superadmin,
                   email_verified_at, password_changed_at)
SELECT bench_id('doctor-user', n), now(), now(), 'dr' || n || '@bench.dz', :'password', 'Karim', 'Doctor' || n, 'en',
       false, now(), now()
  FROM generate_series(1, 200) n;

INSERT INTO clinics (id, created_at, updated_at, name, slug, address, city, region, postcode, latitude, longitude,
                     time_zone, phone, email, currency, opening_hours, is_active)
SELECT bench_id('clinic', n), now(), now(), 'Clinic ' || n, 'clinic-' || n, n || ' rue Didouche Mourad', city, city,
       '16000', 36 + n * 0.01, 3 - n * 0.1, 'Africa/Algiers', '', '', 'DZD', '{}', true
  FROM generate_series(1, 20) n,
       LATERAL (SELECT (ARRAY['Algiers','Oran','Constantine','Annaba','Tlemcen','Sétif','Ouargla','Béjaïa','Batna','Blida'])[1 + n % 10]) c(city);

INSERT INTO visit_types (id, created_at, updated_at, clinic_id, name, name_fr, name_ar, mode, duration, buffer_before,
                         buffer_after, price_minor, is_active, bookable_by, confirms, lead_minutes, horizon_days,
                         cutoff_minutes, most_moves, most_upcoming)
SELECT bench_id(kind, n), now(), now(), bench_id('clinic', n), name, '', '', 'in_person', duration, 0, 0, 200000, true,
       'anyone', 'at_once', 120, 90, 1440, 3, 100000
  FROM generate_series(1, 20) n,
       (VALUES ('consultation', 'Consultation', 30), ('group', 'Group session', 60)) t(kind, name, duration);

INSERT INTO doctors (id, created_at, updated_at, user_id, slug, title, given_name, family_name, gender,
                     languages, biography, qualifications, practising_since, licence_number, licence_verified_at, is_active)
SELECT bench_id('doctor', n), now(), now(), bench_id('doctor-user', n), 'dr-doctor-' || n, 'Dr', given, 'Doctor' || n,
       CASE n % 2 WHEN 0 THEN 'female' ELSE 'male' END, ARRAY['ar', 'fr'],
       'Sees patients of all ages.', '', 2000 + n % 20, 'BENCH-' || n, now(), true
  FROM generate_series(1, 200) n,
       LATERAL (SELECT (ARRAY['Karim','Samira','Omar','Leila','Rachid','Amel','Nabil','Houda'])[1 + n % 8]) g(given);
INSERT INTO doctor_specialties (doctor_id, specialty_id)
SELECT bench_id('doctor', n), s.id
  FROM generate_series(1, 200) n
  JOIN (SELECT id, row_number() OVER (ORDER BY code) AS k, count(*) OVER () AS all_of FROM specialties) s
    ON s.k = 1 + n % s.all_of;
INSERT INTO practices (id, created_at, updated_at, doctor_id, clinic_id, fee_minor, is_active)
SELECT bench_id('practice', n), now(), now(), bench_id('doctor', n), bench_id('clinic', 1 + n % 20), 200000, true
  FROM generate_series(1, 200) n;

INSERT INTO openings (id, created_at, updated_at, practice_id, weekday, starts, ends, capacity)
SELECT bench_id('opening-' || half, n * 10 + day), now(), now(), bench_id('practice', n), day, starts, ends, 1
  FROM generate_series(1, 200) n, generate_series(0, 6) day,
       (VALUES (1, time '08:00', time '12:00'), (2, time '13:00', time '17:00')) h(half, starts, ends);
INSERT INTO opening_visit_types (opening_id, visit_type_id)
SELECT bench_id('opening-' || half, n * 10 + day), bench_id('consultation', 1 + n % 20)
  FROM generate_series(1, 200) n, generate_series(0, 6) day, generate_series(1, 2) half;
-- the race: doctor n receives ten at once on one evening each
INSERT INTO openings (id, created_at, updated_at, practice_id, on_date, starts, ends, capacity)
SELECT bench_id('race', n), now(), now(), bench_id('practice', n), date :'today' + 40, '18:00', '19:00', 10
  FROM generate_series(1, 200) n;
INSERT INTO opening_visit_types (opening_id, visit_type_id)
SELECT bench_id('race', n), bench_id('group', 1 + n % 20) FROM generate_series(1, 200) n;

INSERT INTO patients (id, created_at, updated_at, user_id, given_name, family_name, birth_date, sex, phone,
                      email, address, city, emergency_contact, preferred_language)
SELECT bench_id('patient', n), now(), now(), u.id, u.given_name, u.family_name,
       date '1950-01-01' + (n * 7 % 25000)::int, 'female',
       '+21355' || lpad(n::text, 7, '0'), u.email, '', 'Algiers', '{}', 'en'
  FROM generate_series(1, 20000) n JOIN users u ON u.id = bench_id('user', n);

CREATE TEMP TABLE visits AS
SELECT d, m, bench_id('visit', d * 1000 + m) AS id, 1 + (d * 500 + m) % 20000 AS p, m >= 450 AS ahead,
       (date :'today' + CASE WHEN m < 450 THEN -1 - m / 5 ELSE 1 + (m - 450) / 2 END
        + time '08:00' + make_interval(mins => 30 * k + CASE WHEN k >= 8 THEN 60 ELSE 0 END))
       AT TIME ZONE 'Africa/Algiers' AS starts_at
  FROM generate_series(1, 200) d, generate_series(0, 499) m,
       LATERAL (SELECT (CASE WHEN m < 450 THEN m % 5 * 3 ELSE m % 2 * 8 END + d / 40) % 16) t(k);

INSERT INTO appointments (id, created_at, updated_at, reference, practice_id, clinic_id, doctor_id, patient_id,
                          visit_type_id, starts_at, ends_at, status, mode, reason, version, moves, booked_by, price_minor,
                          currency, confirmed_at, end_text)
SELECT id, starts_at - interval '10 days', now(), upper(substr(md5(id::text), 1, 10)), bench_id('practice', d),
       bench_id('clinic', 1 + d % 20), bench_id('doctor', d), bench_id('patient', p), bench_id('consultation', 1 + d % 20),
       starts_at, starts_at + interval '30 minutes', CASE WHEN ahead THEN 'confirmed' ELSE 'completed' END, 'in_person', '',
       1, 0, bench_id('user', p), 200000, 'DZD', now(), ''
  FROM visits;
INSERT INTO occupancies (id, created_at, resource_id, kind, lane, during, appointment_id)
SELECT gen_random_uuid(), now(), bench_id(kind, CASE kind WHEN 'doctor' THEN d ELSE p END), kind, 1,
       tstzrange(starts_at, starts_at + interval '30 minutes'), id
  FROM visits, (VALUES ('doctor'), ('patient')) k(kind) WHERE starts_at > date :'today' - 7;
INSERT INTO registrations (id, created_at, patient_id, clinic_id)
SELECT gen_random_uuid(), now(), bench_id('patient', p), bench_id('clinic', 1 + d % 20)
  FROM visits GROUP BY p, 1 + d % 20;

-- everybody who books in the bench has a session and a program's sign-in
INSERT INTO user_sessions (id, created_at, user_id, fingerprint, last_seen_at, expires_at)
SELECT bench_id('session', n), now(), bench_id('user', n), encode(sha256(('bench-session-' || n)::bytea), 'hex'), now(),
       now() + interval '13 days'
  FROM generate_series(1, 4000) n;
INSERT INTO token_families (id, created_at, user_id, label, last_used_at, expires_at)
SELECT bench_id('family', n), now(), bench_id('user', n), 'bench', now(), now() + interval '29 days'
  FROM generate_series(1, 4000) n;
