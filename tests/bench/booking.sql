-- What a booking costs the database at least: the same tables, one statement after the other, a new time each time.
\set n :n + 1
\set d :client_id + 1
\set p :client_id * 500 + :n % 500 + 1
BEGIN;
SELECT p.id, p.doctor_id, p.clinic_id, c.time_zone, c.currency, t.duration, t.price_minor FROM practices p JOIN clinics c ON c.id = p.clinic_id JOIN doctors d ON d.id = p.doctor_id JOIN visit_types t ON t.clinic_id = c.id WHERE p.id = bench_id('practice', :d) AND t.id = bench_id('consultation', 1 + :d % 20);
SELECT o.weekday, o.starts, o.ends, o.capacity FROM openings o WHERE o.practice_id = bench_id('practice', :d);
SELECT lower(during), upper(during), lane FROM occupancies WHERE resource_id = bench_id('doctor', :d) AND during && tstzrange(timestamptz '2040-01-01' + make_interval(mins => :n * 30), timestamptz '2040-01-02' + make_interval(mins => :n * 30));
INSERT INTO appointments (id, created_at, updated_at, reference, practice_id, clinic_id, doctor_id, patient_id, visit_type_id, starts_at, ends_at, status, mode, reason, version, moves, booked_by, price_minor, currency, confirmed_at, end_text) VALUES (bench_id('raw', :client_id * 10000000 + :n), now(), now(), :client_id || '-' || :n, bench_id('practice', :d), bench_id('clinic', 1 + :d % 20), bench_id('doctor', :d), bench_id('patient', :p), bench_id('consultation', 1 + :d % 20), timestamptz '2040-01-01' + make_interval(mins => :n * 30), timestamptz '2040-01-01' + make_interval(mins => :n * 30 + 30), 'confirmed', 'in_person', '', 1, 0, bench_id('user', :p), 200000, 'DZD', now(), '');
INSERT INTO occupancies (id, created_at, resource_id, kind, lane, during, appointment_id) VALUES (gen_random_uuid(), now(), bench_id('doctor', :d), 'doctor', 1, tstzrange(timestamptz '2040-01-01' + make_interval(mins => :n * 30), timestamptz '2040-01-01' + make_interval(mins => :n * 30 + 30)), bench_id('raw', :client_id * 10000000 + :n)) ON CONFLICT DO NOTHING;
INSERT INTO occupancies (id, created_at, resource_id, kind, lane, during, appointment_id) VALUES (gen_random_uuid(), now(), bench_id('patient', :p), 'patient', 1, tstzrange(timestamptz '2040-01-01' + make_interval(mins => :n * 30), timestamptz '2040-01-01' + make_interval(mins => :n * 30 + 30)), bench_id('raw', :client_id * 10000000 + :n)) ON CONFLICT DO NOTHING;
INSERT INTO registrations (id, created_at, patient_id, clinic_id) VALUES (gen_random_uuid(), now(), bench_id('patient', :p), bench_id('clinic', 1 + :d % 20)) ON CONFLICT DO NOTHING;
INSERT INTO events (id, created_at, name, actor_id, patient_id, subject_type, subject_id, clinic_id, facts, door) VALUES (gen_random_uuid(), now(), 'raw.booked', bench_id('user', :p), bench_id('patient', :p), 'appointment', bench_id('raw', :client_id * 10000000 + :n), bench_id('clinic', 1 + :d % 20), '{"version": 1}', 'bench');
INSERT INTO tasks (id, created_at, name, args, key, state, attempts, due_at) VALUES (gen_random_uuid(), now(), 'raw', '[]', gen_random_uuid()::text, 'done', 0, now());
COMMIT;
