using System.Diagnostics;
using GrayMQ.Filtering;
using GrayMQ.Filtering.Compilation;
using GrayMQ.Filtering.Indexes;
using GrayMQ.Filtering.Properties;

namespace GrayMQ.Micro.Filtering;

/// <summary>
/// Asks the index, and beside it every expression by itself, which of 10 to 100,000 subscriptions messages match; prints one line for each
/// size. The expressions of the straightforward way are compiled and share the code of their shapes, and each message's properties
/// are found once for all of them: nothing is slower there than it has to be.
/// </summary>
internal static class FilterReport
{
    private const int Seed = 20261122;
    private const int MessageCount = 2000;

    // Of a few at a time the best of all rounds counts: who shares the machine takes the processor away for longer than that.
    private const int MessagesTogether = 10;
    private static readonly TimeSpan MeasureTime = TimeSpan.FromSeconds(1);

    /// <param name="args">Matches per message that are wished for (20), then sizes (10 to 100,000).</param>
    public static void Run(ReadOnlySpan<string> args)
    {
        int matches = args.Length > 0 ? int.Parse(args[0]) : 20;
        int[] sizes = args.Length > 1 ? Array.ConvertAll(args[1..].ToArray(), int.Parse) : [10, 100, 1000, 10_000, 100_000];
        Console.WriteLine($"seed {Seed}, {MessageCount} messages, about {matches} matches for each wished for");
        Console.WriteLine(One("one comparison with a text  ", "messageType == '200-trade-0007-done'"));
        Console.WriteLine(One("one comparison with a number", "buyerId == 100007"));
        Console.WriteLine(One("SQL92, number               ", "buyerId > 100007", FilterLanguage.Sql92));
        Console.WriteLine("subscriptions  matches  index ns  each ns     ratio  ns/match  evaluations parse ms (CPU) build ms (CPU)  change us  bytes/answer  alloc");
        Measure(1000, matches);
        foreach (int size in sizes)
        {
            Console.WriteLine(Measure(size, matches));
        }
    }

    private static (T Made, Times Times) Timed<T>(Func<T> make)
    {
        GC.Collect();
        long started = Stopwatch.GetTimestamp();
        TimeSpan before = Environment.CpuUsage.TotalTime;
        T made = make();
        return (made, new Times(Stopwatch.GetElapsedTime(started), Environment.CpuUsage.TotalTime - before));
    }

    // A message as it is stored, asked by one compiled expression, which finds the property itself.
    private static string One(string what, string text, FilterLanguage language = FilterLanguage.Header)
    {
        FilterExpression expression = FilterExpression.Parse(language, text);
        var workload = new Workload(Seed, 20);
        byte[][] messages = [.. Enumerable.Range(0, 64).Select(_ => workload.Message())];
        double best = double.MaxValue;
        long allocated = 0;
        int matched = 0;
        for (int round = 0; round < 2000; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            long started = Stopwatch.GetTimestamp();
            for (int i = 0; i < 2048; i++)
            {
                matched += expression.Matches(messages[i & 63]) ? 1 : 0;
            }

            best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalNanoseconds / 2048);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        return $"{what}  {best:F1} ns, {allocated} bytes allocated by 2048, {matched} matches ({messages[0].Length} bytes of properties)";
    }

    private static string Measure(int size, int wishedMatches)
    {
        int buyers = Buyers(size, wishedMatches);
        var workload = new Workload(Seed, buyers);
        (FilterExpression[] subscriptions, Times parse) = Timed(() => workload.Subscriptions(size));

        byte[][] messages = [.. Enumerable.Range(0, MessageCount).Select(_ => workload.Message())];
        KeyValuePair<int, FilterExpression>[] numbered = [.. subscriptions.Select((each, id) => new KeyValuePair<int, FilterExpression>(id, each))];
        (FilterIndex index, Times build) = Timed(() => FilterIndex.Build(numbered));

        var answer = new MatchSet();
        (double indexNs, long matched, long evaluations, long allocated) = Ask(index, messages, answer);
        double eachNs = AskEach(subscriptions, messages, matched);
        double changeUs = Change(index, workload);
        return $"{size,13}{(double)matched / messages.Length,9:F1}{indexNs,10:F0}{eachNs,12:F0}{eachNs / indexNs,9:F0}x"
            + $"{indexNs * messages.Length / Math.Max(1, matched),9:F1}{(double)evaluations / messages.Length,12:F1}{parse,14}{build,14}{changeUs,11:F1}"
            + $"{AnswerBytes(index, messages, answer),13:F1}{allocated,8}";
    }

    // Every subscription asks for a buyer, so that this is how many it takes, but for the other conditions.
    private static int Buyers(int size, int wishedMatches)
    {
        int buyers = 1;
        for (int round = 0; round < 4; round++)
        {
            var workload = new Workload(Seed, buyers);
            FilterIndex index = FilterIndex.Build(workload.Subscriptions(size).Select((each, id) => new KeyValuePair<int, FilterExpression>(id, each)));
            var answer = new MatchSet();
            long matched = 0;
            for (int i = 0; i < 500; i++)
            {
                index.Match(workload.Message(), answer);
                matched += answer.Count;
            }

            double found = matched / 500.0;
            if (found <= wishedMatches && round == 0)
            {
                return 1;
            }

            buyers = Math.Max(1, (int)Math.Round(buyers * found / wishedMatches));
        }

        return buyers;
    }

    private static (double Ns, long Matched, long Evaluations, long Allocated) Ask(FilterIndex index, byte[][] messages, MatchSet answer)
    {
        long matched = 0;
        long evaluations = 0;
        foreach (byte[] message in messages)
        {
            index.Match(message, answer);
            matched += answer.Count;
            evaluations += answer.LookUps + answer.Evaluations;
        }

        long[] best = NewBest(messages.Length / MessagesTogether);
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        long started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < MeasureTime)
        {
            for (int few = 0; few < best.Length; few++)
            {
                long before = Stopwatch.GetTimestamp();
                foreach (byte[] message in messages.AsSpan(few * MessagesTogether, MessagesTogether))
                {
                    index.Match(message, answer);
                }

                best[few] = Math.Min(best[few], Stopwatch.GetTimestamp() - before);
            }
        }

        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        return (MeanNs(best) / MessagesTogether, matched, evaluations, allocated);
    }

    private static double AskEach(FilterExpression[] subscriptions, byte[][] messages, long expected)
    {
        PropertyNames names = PropertyNames.None.With(
            ["messageType", "buyerId", "amount", "channel", "region", "vip"]);
        MessagePredicate[] predicates = [.. subscriptions.Select(each => PredicateCompiler.Compile(each.Root, names))];
        int asked = Math.Clamp(2_000_000 / Math.Max(1, subscriptions.Length), 20, messages.Length);
        long matched = 0;
        long[] best = NewBest(asked);
        var slots = new PropertySlot[names.Count];

        // The first round also makes the code.
        long started = 0;
        for (int rounds = 0; rounds < 2 || Stopwatch.GetElapsedTime(started) < MeasureTime; rounds++)
        {
            started = rounds == 1 ? Stopwatch.GetTimestamp() : started;
            matched = 0;
            for (int i = 0; i < asked; i++)
            {
                long before = Stopwatch.GetTimestamp();
                var reader = new PropertyReader(messages[i], names, slots);
                reader.ResolveAll();
                foreach (MessagePredicate predicate in predicates)
                {
                    matched += predicate(ref reader) ? 1 : 0;
                }

                best[i] = Math.Min(best[i], Stopwatch.GetTimestamp() - before);
            }
        }

        return asked < messages.Length || matched == expected
            ? MeanNs(best)
            : throw new InvalidOperationException($"the index finds {expected} matches, evaluating each {matched}");
    }

    private static long[] NewBest(int count)
    {
        long[] best = new long[count];
        Array.Fill(best, long.MaxValue);
        return best;
    }

    private static double MeanNs(long[] ticks) => ticks.Average() * 1e9 / Stopwatch.Frequency;

    // The median: what else happens on the machine is not in it.
    private static double Change(FilterIndex index, Workload workload)
    {
        FilterExpression[] others = workload.Subscriptions(200);
        double[] times = new double[others.Length];
        for (int i = 0; i < others.Length; i++)
        {
            int id = i * 7919 % index.Count;
            long started = Stopwatch.GetTimestamp();
            index = index.With(id, others[i]);
            times[i] = Stopwatch.GetElapsedTime(started).TotalMicroseconds;
        }

        Array.Sort(times);
        return times[times.Length / 2];
    }

    private static double AnswerBytes(FilterIndex index, byte[][] messages, MatchSet answer)
    {
        byte[] bytes = new byte[CompactSet.MaxBytes(index.IdLimit)];
        long total = 0;
        foreach (byte[] message in messages)
        {
            index.Match(message, answer);
            total += CompactSet.Write(answer, bytes);
        }

        return (double)total / messages.Length;
    }

    /// <summary>On the clock, and of the processors, which is less when others have them and more when several work.</summary>
    private readonly record struct Times(TimeSpan Elapsed, TimeSpan Processor) : IFormattable
    {
        public string ToString(string? format, IFormatProvider? provider) =>
            string.Create(provider, $"{Elapsed.TotalMilliseconds:F0} ({Processor.TotalMilliseconds:F0})");
    }
}
