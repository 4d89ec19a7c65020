using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using GrayMQ.Store.KeyValue;

namespace GrayMQ.Store.Tests.KeyValue;

/// <summary>A child process writes and is killed in the middle of it; what it was told is written has to be there.</summary>
public sealed class KeyValueStoreKillTests : IDisposable
{
    private const string PathVariable = "GRAYMQ_TEST_KILLED_STORE";
    private const string SyncVariable = "GRAYMQ_TEST_KILLED_STORE_SYNC";
    private const string Acknowledged = "acknowledged ";
    private const int Kills = 3;

    /// <summary>The child is killed when it has come this much further than its predecessor.</summary>
    private const int WritesPerLife = 2_000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly StoreFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Kill_WhileWriting_LosesNothingAcknowledged(bool sync)
    {
        int perLife = sync ? WritesPerLife / 10 : WritesPerLife;
        int acknowledged = 0;
        for (int kill = 1; kill <= Kills; kill++)
        {
            acknowledged = await RunAndKillAsync(sync, acknowledged + perLife);
            AssertWritten(acknowledged);
        }
    }

    /// <summary>Runs as the child only: writes pairs into two families until it is killed, and tells each one written.</summary>
    [Fact(Explicit = true)]
    public void Child_UntilKilled_Writes()
    {
        string path = Environment.GetEnvironmentVariable(PathVariable)
            ?? throw new InvalidOperationException("started by Kill_WhileWriting_LosesNothingAcknowledged only");
        bool sync = Environment.GetEnvironmentVariable(SyncVariable) == bool.TrueString;
        using var output = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true };
        using KeyValueStore store = KeyValueStore.Open(path, "first", "second");
        KeyFamily first = store.GetFamily("first");
        KeyFamily second = store.GetFamily("second");
        using KeyValueBatch batch = store.NewBatch();
        for (int number = Count(store, first); ; number++)
        {
            batch.Clear();
            batch.Put(first, KeyOf(number), ValueOf(number));
            batch.Put(second, KeyOf(number), ValueOf(number));
            store.Write(batch, sync);
            output.WriteLine(Acknowledged + (number + 1).ToString(CultureInfo.InvariantCulture));
        }
    }

    private async Task<int> RunAndKillAsync(bool sync, int until)
    {
        using Process child = Start(sync);
        int acknowledged = 0;
        using var deadline = new CancellationTokenSource(Patience);
        var said = new List<string>();
        while (await child.StandardOutput.ReadLineAsync(deadline.Token) is { } line)
        {
            if (line.StartsWith(Acknowledged, StringComparison.Ordinal))
            {
                acknowledged = int.Parse(line.AsSpan(Acknowledged.Length), CultureInfo.InvariantCulture);
            }
            else
            {
                said.Add(line);
            }
            if (acknowledged >= until && !child.HasExited)
            {
                child.Kill(); // SIGKILL; lines still in the pipe are acknowledgements too, so reading goes on
                until = int.MaxValue;
            }
        }
        await child.WaitForExitAsync(deadline.Token);
        Assert.True(until == int.MaxValue, "the child ended by itself:\n" + string.Join('\n', said));
        return acknowledged;
    }

    private Process Start(bool sync)
    {
        string dotnet = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../../dotnet"));
        string child = $"{typeof(KeyValueStoreKillTests).FullName}.{nameof(Child_UntilKilled_Writes)}";
        var start = new ProcessStartInfo(dotnet) { RedirectStandardOutput = true };
        foreach (string argument in (string[])
            ["exec", typeof(KeyValueStoreKillTests).Assembly.Location, "-explicit", "only", "-method", child])
        {
            start.ArgumentList.Add(argument);
        }
        start.Environment[PathVariable] = _folder.Path;
        start.Environment[SyncVariable] = sync.ToString();
        return Process.Start(start)!;
    }

    private void AssertWritten(int acknowledged)
    {
        using KeyValueStore store = KeyValueStore.Open(_folder.Path, "first", "second");
        int count = Count(store, store.GetFamily("first"));
        Assert.InRange(count, acknowledged, int.MaxValue);
        foreach (string family in (string[])["first", "second"])
        {
            int number = 0;
            foreach (KeyValueEntry entry in store.Scan(store.GetFamily(family)))
            {
                Assert.Equal(KeyOf(number), entry.Key);
                Assert.Equal(ValueOf(number), entry.Value);
                number++;
            }
            Assert.Equal(count, number);
        }
    }

    private static int Count(KeyValueStore store, KeyFamily family)
    {
        foreach (KeyValueEntry entry in store.Scan(family, backwards: true))
        {
            return new KeyReader(entry.Key).Int32() + 1;
        }
        return 0;
    }

    private static byte[] KeyOf(int number) => new KeyWriter(new byte[4]).Int32(number).Key.ToArray();

    private static byte[] ValueOf(int number) => [.. Enumerable.Range(0, number % 500).Select(i => (byte)(number + i))];
}
