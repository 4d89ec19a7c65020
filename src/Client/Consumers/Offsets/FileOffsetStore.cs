using GrayMQ.Protocol.Bodies;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Client.Consumers.Offsets;

/// <summary>
/// Offsets of a broadcasting consumer, which reads all queues by itself: a JSON file of RocketMQ's form, <c>offsets.json</c>, replaced
/// as a whole, with the one before kept as <c>offsets.json.bak</c> (RocketMQ: LocalFileOffsetStore).
/// </summary>
internal sealed class FileOffsetStore : IOffsetStore, IDisposable
{
    private const string FileName = "offsets.json";
    private const string BackupSuffix = ".bak";
    private const string NewSuffix = ".new";

    private readonly string _path;
    private readonly ILogger _logger;
    private readonly OffsetTable _table = new();
    private readonly SemaphoreSlim _writing = new(1);
    private Dictionary<MessageQueue, long>? _stored;

    /// <param name="folder">The consumer's own folder.</param>
    public FileOffsetStore(string folder, ILogger logger)
    {
        _path = Path.Combine(folder, FileName);
        _logger = logger;
    }

    public async Task<long?> ReadAsync(MessageQueue queue, CancellationToken cancel)
    {
        await _writing.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            _stored ??= await LoadAsync(cancel).ConfigureAwait(false);
            return _stored.TryGetValue(queue, out long offset) ? offset : null;
        }
        finally
        {
            _writing.Release();
        }
    }

    public long? Peek(MessageQueue queue) => _table.Peek(queue);

    public void Update(MessageQueue queue, long offset) => _table.Update(queue, offset);

    public void Reset(MessageQueue queue, long offset) => _table.Reset(queue, offset);

    public void Forget(MessageQueue queue) => _table.Forget(queue);

    public async Task PersistAsync(IReadOnlyCollection<MessageQueue> queues, CancellationToken cancel)
    {
        await _writing.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            List<KeyValuePair<MessageQueue, long>> unstored = _table.Unstored(queues);
            if (unstored.Count == 0)
            {
                return;
            }

            _stored ??= await LoadAsync(cancel).ConfigureAwait(false);
            foreach ((MessageQueue queue, long offset) in unstored)
            {
                _stored[queue] = offset;
            }

            await SaveAsync(_stored, cancel).ConfigureAwait(false);
            foreach ((MessageQueue queue, long offset) in unstored)
            {
                _table.MarkStored(queue, offset);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.OffsetFileFailed(_logger, _path, e.Message);
            throw;
        }
        finally
        {
            _writing.Release();
        }
    }

    public void Dispose() => _writing.Dispose();

    private async Task<Dictionary<MessageQueue, long>> LoadAsync(CancellationToken cancel)
    {
        foreach (string path in (string[])[_path, _path + BackupSuffix])
        {
            try
            {
                byte[] json = await File.ReadAllBytesAsync(path, cancel).ConfigureAwait(false);
                return BodyCodec.Decode<ResetOffsetBody>(json).OffsetTable;
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                // A first start, or a stop between the two moves of a save.
            }
            catch (BodyFormatException e)
            {
                Log.OffsetFileFailed(_logger, path, e.Message);
            }
        }

        return [];
    }

    // The file's form is that of the offsets in a reset: {"offsetTable":{{queue}:offset}}.
    private async Task SaveAsync(Dictionary<MessageQueue, long> offsets, CancellationToken cancel)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
        string fresh = _path + NewSuffix;
        await File.WriteAllBytesAsync(fresh, BodyCodec.Encode(new ResetOffsetBody { OffsetTable = offsets }), cancel)
            .ConfigureAwait(false);
        if (File.Exists(_path))
        {
            File.Move(_path, _path + BackupSuffix, overwrite: true);
        }

        File.Move(fresh, _path, overwrite: true);
    }
}
