-- 9,800 more doctors at 480 more clinics, so that there are 10,000; doctor n is fully booked for the next n % 6 days,
-- which is about 390,000 visits more. Ids as in filling.sql.

INSERT INTO clinics (id, created_at, updated_at, name, slug, address, city, region, postcode, latitude, longitude,
                     time_zone, phone, email, currency, opening_hours, is_active)
SELECT bench_id('clinic', n), now(), now(), 'Clinic ' || n, 'clinic-' || n, n || ' rue Didouche Mourad', city, city,
       '16000', 33 + n % 40 * 0.1, 8 - n % 90 * 0.1, 'Africa/Algiers', '', '', 'DZD', '{}',
       true
  FROM generate_series(21, 500) n,
       LATERAL (SELECT (ARRAY['Algiers','Oran','Constantine','Annaba','Tlemcen','Sétif','Ouargla','Béjaïa','Batna','Blida'])[1 + n % 10]) c(city);
INSERT INTO visit_types (id, created_at, updated_at, clinic_id, name, name_fr, name_ar, mode, duration, buffer_before,
                         buffer_after, price_minor, is_active, bookable_by, confirms, lead_minutes, horizon_days,
                         cutoff_minutes, most_moves, most_upcoming)
SELECT bench_id(kind, n), now(), now(), bench_id('clinic', n), name, '', '', mode, 30, 0, 0, 200000, true, 'anyone',
       'at_once', 120, 90, 1440, 3, 100000
  FROM generate_series(21, 500) n,
       (VALUES ('consultation', 'Consultation', 'in_person'), ('video', 'Video visit', 'video')) t(kind, name, mode)
 WHERE kind = 'consultation' OR n % 3 = 0;
INSERT INTO doctors (id, created_at, updated_at, slug, title, given_name, family_name, gender,
                     languages, biography, qualifications, practising_since, licence_number, licence_verified_at, is_active)
SELECT bench_id('doctor', n), now(), now(), 'dr-doctor-' || n, 'Dr', given, 'Doctor' || n,
       CASE n % 2 WHEN 0 THEN 'female' ELSE 'male' END,
       CASE n % 3 WHEN 0 THEN ARRAY['ar', 'fr'] WHEN 1 THEN ARRAY['ar'] ELSE ARRAY['fr', 'en'] END,
       'Sees patients of all ages.', '', 2000 + n % 20, 'BENCH-' || n, now(), true
  FROM generate_series(201, 10000) n,
       LATERAL (SELECT (ARRAY['Karim','Samira','Omar','Leila','Rachid','Amel','Nabil','Houda'])[1 + n % 8]) g(given);
INSERT INTO doctor_specialties (doctor_id, specialty_id)
SELECT bench_id('doctor', n), s.id
  FROM generate_series(201, 10000) n
  JOIN (SELECT id, row_number() OVER (ORDER BY code) AS k, count(*) OVER () AS all_of FROM specialties) s
    ON s.k = 1 + n % s.all_of;
INSERT INTO practices (id, created_at, updated_at, doctor_id, clinic_id, fee_minor, is_active)
SELECT bench_id('practice', n), now(), now(), bench_id('doctor', n), bench_id('clinic', 21 + n % 480), 200000, true
  FROM generate_series(201, 10000) n;
INSERT INTO openings (id, created_at, updated_at, practice_id, weekday, starts, ends, capacity)
SELECT bench_id('opening-' || half, n * 10 + day), now(), now(), bench_id('practice', n), day, starts, ends, 1
  FROM generate_series(201, 10000) n, generate_series(0, 6) day,
       (VALUES (1, time '08:00', time '12:00'), (2, time '13:00', time '17:00')) h(half, starts, ends);

CREATE TEMP TABLE visits AS
SELECT d, bench_id('visit', d * 1000 + m) AS id, 1 + (d * 500 + m) % 20000 AS p,
       (date :'today' + 1 + m / 16 + time '08:00'
        + make_interval(mins => 30 * (m % 16) + CASE WHEN m % 16 >= 8 THEN 60 ELSE 0 END))
       AT TIME ZONE 'Africa/Algiers' AS starts_at
  FROM generate_series(201, 10000) d, LATERAL generate_series(0, 16 * (d % 6) - 1) m;
INSERT INTO appointments (id, created_at, updated_at, reference, practice_id, clinic_id, doctor_id, patient_id,
                          visit_type_id, starts_at, ends_at, status, mode, reason, version, moves, price_minor,
                          currency, confirmed_at, end_text)
SELECT id, now(), now(), upper(substr(md5(id::text), 1, 10)), bench_id('practice', d), bench_id('clinic', 21 + d % 480),
       bench_id('doctor', d), bench_id('patient', p), bench_id('consultation', 21 + d % 480), starts_at,
       starts_at + interval '30 minutes', 'confirmed', 'in_person', '', 1, 0, 200000, 'DZD', now(), ''
  FROM visits;
INSERT INTO occupancies (id, created_at, resource_id, kind, lane, during, appointment_id)
SELECT gen_random_uuid(), now(), bench_id('doctor', d), 'doctor', 1, tstzrange(starts_at, starts_at + interval '30 minutes'), id
  FROM visits;
