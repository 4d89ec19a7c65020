using System.Buffers;
using System.Text;
using GrayMQ.Store.KeyValue;

namespace GrayMQ.Store.Tests.KeyValue;

public sealed class KeyValueStoreTests : IDisposable
{
    private readonly StoreFolder _folder = new();
    private readonly KeyValueStore _store;
    private readonly KeyFamily _topics;
    private readonly KeyFamily _offsets;

    public KeyValueStoreTests()
    {
        _store = KeyValueStore.Open(_folder.Path, "topics", "offsets");
        _topics = _store.GetFamily("topics");
        _offsets = _store.GetFamily("offsets");
    }

    public void Dispose()
    {
        _store.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Get_KeyOfAnotherFamily_IsNotThere()
    {
        _store.Put(_topics, "a"u8, "1"u8);

        Assert.Equal("1"u8, _store.Get(_topics, "a"u8)!);
        Assert.Null(_store.Get(_offsets, "a"u8));
        Assert.False(_store.Contains(_offsets, "a"u8));
        Assert.Equal(-1, _store.Get(_offsets, "a"u8, new byte[4]));
    }

    [Fact]
    public void Get_EmptyKeyAndEmptyValue_AreKeyAndValue()
    {
        _store.Put(_topics, ""u8, ""u8);

        Assert.True(_store.TryGet(_topics, ""u8, out byte[]? value));
        Assert.Empty(value);
    }

    [Fact]
    public void Put_ExistingKey_ReplacesAndDeleteRemoves()
    {
        _store.Put(_topics, "a"u8, "1"u8);
        _store.Put(_topics, "a"u8, "2"u8, sync: true);
        Assert.Equal("2"u8, _store.Get(_topics, "a"u8)!);

        _store.Delete(_topics, "a"u8);
        _store.Delete(_topics, "never there"u8);

        Assert.Null(_store.Get(_topics, "a"u8));
    }

    [Fact]
    public void Get_EveryForm_SeesTheSameBytes()
    {
        byte[] value = new byte[100_000];
        Random.Shared.NextBytes(value);
        _store.Put(_topics, "a"u8, value);
        var writer = new ArrayBufferWriter<byte>();
        byte[] small = new byte[10];

        Assert.True(_store.TryGet(_topics, "a"u8, writer));
        Assert.Equal(value, writer.WrittenSpan);
        Assert.Equal(value.Length, _store.Get(_topics, "a"u8, small));
        Assert.Equal(value[..10], small);
        Assert.True(_store.TryRead(_topics, "a"u8, 7, static (bytes, added) => bytes.Length + added, out int result));
        Assert.Equal(value.Length + 7, result);
    }

    [Fact]
    public void TryRead_ReaderThatThrows_LeavesTheStoreUsable()
    {
        _store.Put(_topics, "a"u8, "1"u8);

        Assert.Throws<FormatException>(
            () => _store.TryRead<int, int>(_topics, "a"u8, 0, (_, _) => throw new FormatException(), out _));

        Assert.Equal("1"u8, _store.Get(_topics, "a"u8)!);
    }

    [Theory]
    [InlineData("", "", false, "a,ab,b,c")]
    [InlineData("", "", true, "c,b,ab,a")]
    [InlineData("ab", "c", false, "ab,b")]
    [InlineData("ab", "c", true, "b,ab")]
    [InlineData("aa", "", false, "ab,b,c")]
    [InlineData("", "b", true, "ab,a")]
    [InlineData("c", "c", false, "")]
    [InlineData("d", "", true, "")]
    public void Scan_Bounds_AreKept(string from, string to, bool backwards, string expected)
    {
        foreach (string key in (string[])["c", "ab", "a", "b"])
        {
            _store.Put(_topics, Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes("value of " + key));
        }

        var seen = new List<string>();
        foreach (KeyValueEntry entry in _store.Scan(
            _topics, Encoding.UTF8.GetBytes(from), Encoding.UTF8.GetBytes(to), backwards))
        {
            seen.Add(Encoding.UTF8.GetString(entry.Key));
            Assert.Equal("value of " + seen[^1], Encoding.UTF8.GetString(entry.Value));
        }

        Assert.Equal(expected, string.Join(',', seen));
    }

    [Fact]
    public void ScanPrefix_KeysAroundIt_AreLeftOut()
    {
        byte[][] keys = [[1], [1, 0xFE, 0xFF], [1, 0xFF], [1, 0xFF, 0], [1, 0xFF, 0xFF, 0xFF], [2], [0xFF], [0xFF, 0xFF]];
        foreach (byte[] key in keys)
        {
            _store.Put(_topics, key, key);
        }

        Assert.Equal(keys[2..5], Keys(_store.ScanPrefix(_topics, [1, 0xFF])));
        Assert.Equal(keys[6..], Keys(_store.ScanPrefix(_topics, [0xFF])));
        Assert.Equal(keys, Keys(_store.ScanPrefix(_topics, [])));
        Assert.Equal(keys[2..5].Reverse(), Keys(_store.ScanPrefix(_topics, [1, 0xFF], backwards: true)));
    }

    [Fact]
    public void Scan_WritesMeanwhile_ShowsTheMomentItBegan()
    {
        _store.Put(_topics, "a"u8, "1"u8);
        _store.Put(_topics, "b"u8, "1"u8);
        using KeyValueScan scan = _store.Scan(_topics);
        _store.Delete(_topics, "b"u8);
        _store.Put(_topics, "c"u8, "1"u8);

        Assert.Equal(["a"u8.ToArray(), "b"u8.ToArray()], Keys(scan));
        Assert.Equal(["a"u8.ToArray(), "c"u8.ToArray()], Keys(_store.Scan(_topics)));
    }

    [Fact]
    public void Write_BatchAcrossFamilies_DoesAllInItsOrder()
    {
        for (byte i = 0; i < 10; i++)
        {
            _store.Put(_offsets, [i], [i]);
        }
        using KeyValueBatch batch = _store.NewBatch();
        batch.Put(_topics, "a"u8, "1"u8);
        batch.DeleteRange(_offsets, [2], [8]);
        batch.DeleteRange(_offsets, [9], [1]);
        batch.Put(_offsets, [5], [55]);
        batch.Put(_topics, "b"u8, "1"u8);
        batch.Delete(_topics, "b"u8);

        Assert.Equal(5, batch.Count);
        Assert.Null(_store.Get(_topics, "a"u8));
        _store.Write(batch, sync: true);

        Assert.Equal("1"u8, _store.Get(_topics, "a"u8)!);
        Assert.Null(_store.Get(_topics, "b"u8));
        Assert.Equal<byte[]>([[0], [1], [5], [8], [9]], Keys(_store.Scan(_offsets)));

        batch.Clear();
        batch.Delete(_topics, "a"u8);
        _store.Write(batch);
        Assert.Null(_store.Get(_topics, "a"u8));
        Assert.Equal(1, batch.Count);
    }

    [Fact]
    public void Family_OfAnotherStore_IsRefused()
    {
        using var otherFolder = new StoreFolder();
        using KeyValueStore other = KeyValueStore.Open(otherFolder.Path, "topics");
        KeyFamily foreign = other.GetFamily("topics");
        using KeyValueBatch foreignBatch = other.NewBatch();

        Assert.Throws<ArgumentException>(() => _store.Put(foreign, "a"u8, "1"u8));
        Assert.Throws<ArgumentException>(() => _store.Get(foreign, "a"u8));
        Assert.Throws<ArgumentException>(() => foreignBatch.Put(_topics, "a"u8, "1"u8));
        Assert.Throws<ArgumentException>(() => _store.Write(foreignBatch));
        Assert.Throws<ArgumentException>(() => _store.GetFamily("groups"));
    }

    [Fact]
    public void GetPutDelete_SteadyState_AllocateNothing()
    {
        byte[] key = "key"u8.ToArray();
        byte[] value = new byte[100];
        byte[] read = new byte[100];
        void Round()
        {
            _store.Put(_topics, key, value);
            _store.Get(_topics, key, read);
            _store.TryRead(_topics, key, 0, static (bytes, _) => bytes.Length, out int _);
            _store.Delete(_topics, key);
        }
        for (int i = 0; i < 100; i++)
        {
            Round();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1_000; i++)
        {
            Round();
        }

        // Far below an object for each round; a collection meanwhile counts what was left of the thread's 8 KB.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10_000);
    }

    [Fact]
    public void EstimateCount_AfterCompaction_IsTheCount()
    {
        for (int i = 0; i < 1_000; i++)
        {
            _store.Put(_topics, BitConverter.GetBytes(i), new byte[10]);
        }
        Assert.InRange(_store.WriteBufferBytes(_topics), 10_000, 4 << 20);
        for (int i = 0; i < 900; i++)
        {
            _store.Delete(_topics, BitConverter.GetBytes(i));
        }

        _store.Compact(_topics);

        Assert.Equal(100, _store.EstimateCount(_topics));
        Assert.Equal(100, Keys(_store.Scan(_topics)).Count);
    }

    private static List<byte[]> Keys(KeyValueScan scan)
    {
        var keys = new List<byte[]>();
        foreach (KeyValueEntry entry in scan)
        {
            keys.Add(entry.Key.ToArray());
        }
        return keys;
    }
}
