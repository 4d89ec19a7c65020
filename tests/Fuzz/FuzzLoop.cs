using System.Diagnostics;
using System.Globalization;

namespace GrayMQ.Fuzz;

/// <summary>
/// Runs one target over seeds and mutations until its time is over or something is found. The inputs depend on the seed
/// alone; those that a target took join the ones to mutate.
/// </summary>
internal sealed class FuzzLoop(FuzzTarget target, int seed, string outputDirectory)
{
    private const int MaxPool = 2_000;

    // Nothing hangs for so long and ends.
    private static readonly TimeSpan HangTimeout = TimeSpan.FromSeconds(60);

    // Left behind by a process that ended while running it.
    private string CurrentPath => Path.Combine(outputDirectory, $"fuzz-{target.Name}-current.bin");

    private byte[] _current = [];
    private long _runs;
    private long _startedTimestamp;

    /// <summary>True when nothing was found.</summary>
    public bool Run(TimeSpan time)
    {
        using var watchdog = new Timer(_ => Watch(), null, HangTimeout, TimeSpan.FromSeconds(1));
        var random = new Random(seed);
        var mutator = new Mutator(random, target.Tokens);
        List<byte[]> pool = [];
        long started = Stopwatch.GetTimestamp();
        long taken = 0;
        try
        {
            foreach (byte[] input in target.Seeds())
            {
                FindingException.Unless(Try(input), "a seed, which is well formed, was refused");
                pool.Add(input);
                if (Stopwatch.GetElapsedTime(started) > time)
                {
                    break;
                }
            }

            int seeds = pool.Count;
            while (Stopwatch.GetElapsedTime(started) < time)
            {
                byte[] input = mutator.Mutate(pool[random.Next(pool.Count)], pool[random.Next(pool.Count)]);
                if (!Try(input))
                {
                    continue;
                }

                taken++;
                if (pool.Count < MaxPool)
                {
                    pool.Add(input);
                }
                else
                {
                    pool[random.Next(seeds, MaxPool)] = input;
                }
            }
        }
        catch (Exception e)
        {
            Report(e.ToString());
            return false;
        }

        Console.WriteLine($"{target.Name}: {_runs} inputs, {taken} of them taken, nothing found (seed {seed})");
        return true;
    }

    /// <summary>Runs one input again.</summary>
    public bool Replay(byte[] input)
    {
        try
        {
            Console.WriteLine($"{target.Name}: {input.Length} bytes, {(Try(input) ? "taken" : "refused")}, nothing found");
            return true;
        }
        catch (Exception e)
        {
            Console.Error.WriteLine($"{target.Name}: {e}");
            return false;
        }
    }

    private bool Try(byte[] input)
    {
        _current = input;
        _runs++;
        if (target.MayEndTheProcess)
        {
            File.WriteAllBytes(CurrentPath, input);
        }

        Volatile.Write(ref _startedTimestamp, Stopwatch.GetTimestamp());
        (bool taken, TimeSpan duration, long allocated) = Measure(input);

        // A slow or hungry run counts when it is so again: the first may have met the compiler or a busy machine.
        for (int again = 0; again < 3 && (duration > target.MaxDuration || allocated > target.MaxAllocatedBytes(input.Length)); again++)
        {
            (taken, duration, allocated) = Measure(input);
        }

        FindingException.Unless(
            duration <= target.MaxDuration,
            string.Create(CultureInfo.InvariantCulture, $"{input.Length} bytes took {duration.TotalMilliseconds:F0} ms"));
        FindingException.Unless(
            allocated <= target.MaxAllocatedBytes(input.Length), $"{input.Length} bytes made {allocated} bytes of garbage");
        Volatile.Write(ref _startedTimestamp, 0);
        if (target.MayEndTheProcess)
        {
            File.Delete(CurrentPath);
        }

        return taken;
    }

    private (bool Taken, TimeSpan Duration, long AllocatedBytes) Measure(byte[] input)
    {
        long before = target.MeasuresAllocation ? GC.GetAllocatedBytesForCurrentThread() : 0;
        long started = Stopwatch.GetTimestamp();
        bool taken = target.Run(input);
        TimeSpan duration = Stopwatch.GetElapsedTime(started);
        return (taken, duration, target.MeasuresAllocation ? GC.GetAllocatedBytesForCurrentThread() - before : 0);
    }

    private void Watch()
    {
        long started = Volatile.Read(ref _startedTimestamp);
        if (started != 0 && Stopwatch.GetElapsedTime(started) > HangTimeout)
        {
            Report($"the input was not done after {HangTimeout.TotalSeconds:F0} s");
            Environment.Exit(Program.Found);
        }
    }

    private void Report(string what)
    {
        string path = Path.Combine(outputDirectory, $"fuzz-{target.Name}-{seed}-{_runs}.bin");
        Directory.CreateDirectory(outputDirectory);
        File.WriteAllBytes(path, _current);
        Console.Error.WriteLine($"{target.Name}: FOUND with seed {seed}, input {_runs}: {what}");
        Console.Error.WriteLine($"{target.Name}: again with: dotnet run --project tests/Fuzz -- {target.Name} --input {path}");
    }
}
