// SPDX-License-Identifier: MIT
// pgjdbc (own protocol code; batches pipelined, prepared on the server from the fifth run on): README.md.
import java.io.StringReader;
import java.io.StringWriter;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.Properties;
import org.postgresql.PGConnection;

public class JdbcSteps {
    static Connection connection;

    static void say(String step, Object... values) {
        StringBuilder line = new StringBuilder(step);
        for (Object value : values)
            line.append(" | ").append(value);
        System.out.println(line.toString().replace("\n", "\\n"));
    }

    static String code(String text) {
        try (Statement statement = connection.createStatement()) {
            statement.execute(text);
            return null;
        } catch (SQLException error) {
            return error.getSQLState();
        }
    }

    static String one(String text) throws SQLException {
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(text)) {
            rows.next();
            return rows.getString(1);
        }
    }

    static void transactions() throws SQLException {
        connection.setAutoCommit(false);
        code("INSERT INTO items VALUES (1, 'one')");
        Savepoint point = connection.setSavepoint();
        String first = code("INSERT INTO items VALUES (1, 'again')");
        String second = code("SELECT 1");
        connection.rollback(point);
        String inside = one("SELECT count(*) FROM items");
        connection.rollback();
        connection.setAutoCommit(true);
        say("transactions", first, second, inside, one("SELECT count(*) FROM items"));
    }

    static void prepared() throws SQLException {
        long total = 0;
        try (PreparedStatement plus = connection.prepareStatement("SELECT ?::int + 1");
                PreparedStatement bang = connection.prepareStatement("SELECT ?::text || '!'")) {
            for (int i = 0; i < 50; i++) {
                plus.setInt(1, i);
                bang.setString(1, "a".repeat(i));
                try (ResultSet rows = plus.executeQuery()) {
                    rows.next();
                    total += rows.getInt(1);
                }
                try (ResultSet rows = bang.executeQuery()) {
                    rows.next();
                    total += rows.getString(1).length();
                }
            }
        }
        say("prepared", total);
    }

    static void batches() throws SQLException {
        connection.setAutoCommit(false);
        int rows = 0;
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO items VALUES (?, ?)")) {
            for (int i = 0; i < 2000; i++) {
                insert.setInt(1, i);
                insert.setString(2, "word " + i);
                insert.addBatch();
            }
            rows = insert.executeBatch().length;
            insert.setInt(1, 2001);
            insert.setString(2, "a");
            insert.addBatch();
            insert.setInt(1, 5);
            insert.setString(2, "b");
            insert.addBatch();
            try {
                insert.executeBatch();
            } catch (SQLException error) {
                say("batch failed", error.getSQLState());
            }
        }
        connection.rollback();
        connection.setAutoCommit(true);
        say("batches", rows, one("SELECT count(*) FROM items"));
    }

    static void copies() throws Exception {
        StringBuilder in = new StringBuilder();
        for (int i = 0; i < 20000; i++)
            in.append(i).append("\tline ").append(i).append('\n');
        connection.setAutoCommit(false);
        var copy = connection.unwrap(PGConnection.class).getCopyAPI();
        long copied = copy.copyIn("COPY items FROM STDIN", new StringReader(in.toString()));
        StringWriter out = new StringWriter();
        copy.copyOut("COPY (SELECT * FROM items ORDER BY id) TO STDOUT", out);
        connection.rollback();
        connection.setAutoCommit(true);
        say("copies", copied, out.toString().contentEquals(in));
    }

    static void cursors() throws SQLException {
        long total = 0;
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement()) {
            statement.setFetchSize(100);
            try (ResultSet rows = statement.executeQuery("SELECT i FROM generate_series(1, 5000) i")) {
                while (rows.next())
                    total += rows.getInt(1);
            }
        }
        connection.commit();
        connection.setAutoCommit(true);
        say("cursors", total);
    }

    static void cancelled() throws Exception {
        String seen = null;
        try (Statement statement = connection.createStatement()) {
            Thread other = new Thread(() -> {
                try {
                    Thread.sleep(300);
                    statement.cancel();
                } catch (Exception error) {
                    say("cancel", error);
                }
            });
            other.start();
            try {
                statement.execute("SELECT pg_sleep(20)");
            } catch (SQLException error) {
                seen = error.getSQLState();
            }
            other.join();
        }
        say("cancelled", seen, one("SELECT 1"));
    }

    static void types() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(
                "SELECT ?::int4, ?::int8, ?::numeric, ?, ?::bytea, ?::bool, ?::jsonb::text, ?::text")) {
            statement.setInt(1, 1);
            statement.setLong(2, 9007199254740993L);
            statement.setBigDecimal(3, new java.math.BigDecimal("1.50"));
            statement.setString(4, "gr\u00f6\u00dfer");
            statement.setBytes(5, new byte[] {0, (byte) 255});
            statement.setBoolean(6, true);
            statement.setString(7, "{\"a\": [1]}");
            statement.setString(8, null);
            for (int run = 0; run < 10; run++) { // the later ones binary
                try (ResultSet rows = statement.executeQuery()) {
                    rows.next();
                    if (run % 9 == 0)
                        say("types", rows.getInt(1), rows.getLong(2), rows.getBigDecimal(3), rows.getString(4),
                            rows.getBytes(5).length, rows.getBoolean(6), rows.getString(7), rows.getString(8));
                }
            }
        }
    }

    static void notified() throws Exception {
        try (Statement statement = connection.createStatement()) {
            statement.execute("DO $$BEGIN RAISE NOTICE 'look: %', 'here'; END$$");
            say("notice", statement.getWarnings().getMessage());
            statement.execute("LISTEN channel");
            statement.execute("NOTIFY channel, 'payload'");
        }
        var got = connection.unwrap(PGConnection.class).getNotifications(5000);
        say("notified", got.length, got[0].getParameter());
    }

    public static void main(String[] args) throws Exception {
        Properties properties = new Properties();
        properties.setProperty("user", args[1]);
        properties.setProperty("password", args[2]);
        if (args.length > 3) {
            properties.setProperty("sslmode", "verify-full");
            properties.setProperty("sslrootcert", args[3]);
        }
        connection = DriverManager.getConnection(args[0], properties);
        say("who", one("SELECT current_user || ' ' || current_database()"));
        types();
        transactions();
        prepared();
        batches();
        copies();
        cursors();
        cancelled();
        code("SET timezone = 'Asia/Tokyo'");
        code("SET search_path = pg_catalog, public");
        say("settings", one("SHOW timezone"), one("SHOW search_path"));
        notified();
        connection.close();
    }
}
