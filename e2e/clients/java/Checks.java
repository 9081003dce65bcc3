package clients;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** What the clients share: where the gateway is, who asks, one small tool, one small picture, and how a check is told. */
final class Checks {
  static final String GATEWAY = System.getenv("GATEWAY_URL");
  static final String GATEWAY_TLS = System.getenv("GATEWAY_TLS_URL");
  static final String ALICE = System.getenv("ALICE_TOKEN");
  static final String BOB = System.getenv("BOB_TOKEN");
  static final String MALLORY = System.getenv("MALLORY_TOKEN");

  static final String MODEL = "claude-sonnet-4-5";
  static final String NO_MODEL = "claude-none";
  static final String EMBEDDING_MODEL = "titan-embed-v2";
  static final String HELLO = "Say hello.";
  static final String STAND_IN = "stand-in";
  static final String QUESTION = "Who is the director of Alien?";
  static final String DIRECTOR = "Ridley Scott";
  static final String TOOL = "run_sparql";
  static final String TOOL_SAYS = "Runs a read-only SPARQL query.";
  static final String LOOK = "What colour is this?";

  /** The stand-in answers by rule: it calls `run_sparql` for a question it can read by the schema in the prompt. */
  static final String SYSTEM =
      """
      The schema:
      PREFIX f: <urn:film#>
      Classes (instances):
      - f:Film (3) "film", "movie"
      - f:Person (5) "person", "people"
      Properties (from -> to, uses):
      - f:directedBy: f:Film -> f:Person (3) "is directed by", "director"; backwards "directed"
      """;

  /** The stand-in hands a tool what it is told to, so long work makes a long stream. */
  static final String LONG_WORK = "all work and no play makes a dull stream ".repeat(300).trim();

  static final String LONG_QUESTION = "Use the tool " + TOOL + " with {\"query\": \"" + LONG_WORK + "\"}";

  static final Map<String, Object> TOOL_PROPERTIES = Map.of("query", Map.of("type", "string"), "question", Map.of("type", "string"));
  static final Map<String, Object> ANSWER_PROPERTIES = Map.of("title", Map.of("type", "string"), "year", Map.of("type", "integer"));
  static final List<String> ANSWER_REQUIRED = List.of("title", "year");

  /** A red square of 8 by 8 pixels. */
  static final String PNG =
      "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGP4z8CAFWEXHbQSACj/P8Fu7N9hAAAAAElFTkSuQmCC";

  static final byte[] PNG_BYTES = Base64.getDecoder().decode(PNG);

  /** The stand-in counts four characters a token over all it was sent, so its count shows that the picture arrived. */
  static final long PNG_TOKENS = PNG.length() / 4;

  private static final ObjectMapper JSON = new ObjectMapper();

  interface Work {
    void run() throws Exception;
  }

  private final String client;
  private static boolean allHeld = true;

  Checks(String client) {
    this.client = client;
  }

  static boolean allHeld() {
    return allHeld;
  }

  /** Prints one line; what fails does not hold up the others. */
  void check(String what, Work work) {
    try {
      work.run();
      System.out.println("ok      " + client + ": " + what);
    } catch (Throwable failure) {
      allHeld = false;
      System.out.println("FAILED  " + client + ": " + what + "\n" + failure);
      for (var at : failure.getStackTrace()) if (at.getClassName().startsWith("clients.")) System.out.println("  at " + at);
    }
  }

  static void must(boolean holds, Object seen) {
    if (!holds) throw new AssertionError("seen instead: " + seen);
  }

  /** The refusal of this kind that the work ends with. */
  static <T extends Throwable> T refusal(Class<T> kind, Work work) throws Exception {
    try {
      work.run();
    } catch (Throwable failure) {
      for (Throwable at = failure; at != null; at = at.getCause()) if (kind.isInstance(at)) return kind.cast(at);
      throw new AssertionError("no " + kind.getSimpleName() + ", but " + failure, failure);
    }
    throw new AssertionError("no " + kind.getSimpleName() + ", but an answer");
  }

  static JsonNode json(Object text) throws Exception {
    return JSON.readTree(String.valueOf(text));
  }

  static String text(Object value) throws Exception {
    return JSON.writeValueAsString(value);
  }

  /** The rows a database would give; the arguments must be the query the question asks for. */
  static String runSparql(String arguments) throws Exception {
    String query = json(arguments).path("query").asText();
    must(query.contains("f:directedBy") && query.contains("\" alien \""), arguments);
    var columns = List.of("subject", "subjectName", "object", "objectName");
    return text(Map.of("graph_data", Map.of("columns", columns, "rows", List.of(List.of("urn:alien", "Alien", "urn:scott", DIRECTOR)))));
  }

  static void mustBeFilm(String text) throws Exception {
    must(json(text).path("title").isTextual() && json(text).path("year").isInt(), text);
  }

  /** Lets the stand-in for Bedrock fail in its next call. */
  static void fault(Map<String, Object> told) throws Exception {
    var uri = URI.create(System.getenv("BEDROCK_URL") + "/sandbox/faults");
    var request = HttpRequest.newBuilder(uri).POST(HttpRequest.BodyPublishers.ofString(text(told))).build();
    must(HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).statusCode() < 300, told);
  }

  /** The milliseconds that work took, in which a wait shows. */
  static long took(Work work) throws Exception {
    long begun = System.nanoTime();
    work.run();
    return (System.nanoTime() - begun) / 1_000_000;
  }

  static void twentyAtOnce(Work work) throws Exception {
    var pool = Executors.newFixedThreadPool(20);
    try {
      var all = new ArrayList<Future<Void>>();
      Callable<Void> one =
          () -> {
            work.run();
            return null;
          };
      for (int at = 0; at < 40; at++) all.add(pool.submit(one));
      for (var future : all) future.get();
    } finally {
      pool.shutdownNow();
    }
  }
}
