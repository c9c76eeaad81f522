-- Run at the end of every migration run, under the migration lock: makes the
-- role that the program works as, where that may be done, and gives it the
-- rights listed in app_rights and no others.
DO $$
DECLARE
  r record;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'chartcode_app') THEN
    BEGIN
      CREATE ROLE chartcode_app NOLOGIN;
    EXCEPTION
      -- The same moment in another database of this server.
      WHEN duplicate_object OR unique_violation THEN NULL;
      WHEN insufficient_privilege THEN
        RAISE WARNING 'the role chartcode_app does not exist and % may not make it: the program works with the rights of %. To limit them, let an administrator run: CREATE ROLE chartcode_app NOLOGIN; GRANT chartcode_app TO %; and migrate again.',
          quote_ident(current_user), quote_ident(current_user), quote_ident(current_user);
        RETURN;
    END;
  END IF;

  -- From PostgreSQL 16 on, who makes a role is a member but may not take it yet.
  IF NOT pg_has_role(current_user, 'chartcode_app',
      CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END) THEN
    BEGIN
      EXECUTE format('GRANT chartcode_app TO %I', current_user);
    EXCEPTION WHEN insufficient_privilege THEN
      RAISE WARNING 'the user % may not take the role chartcode_app: the program works with the rights of %. To limit them, let an administrator run: GRANT chartcode_app TO %;',
        quote_ident(current_user), quote_ident(current_user), quote_ident(current_user);
    END;
  END IF;

  EXECUTE format('GRANT USAGE ON SCHEMA %I TO chartcode_app', current_schema());
  FOR r IN SELECT object, rights FROM app_rights ORDER BY object LOOP
    EXECUTE format('REVOKE ALL ON %s FROM chartcode_app', r.object);
    EXECUTE format('GRANT %s ON %s TO chartcode_app', r.rights, r.object);
  END LOOP;
END $$;
