using GrayMQ.Store.RocksDbSharp;

namespace GrayMQ.Store.KeyValue;

/// <summary>
/// A walk over keys in their order, over the state of the moment it was begun. <see cref="Key"/> and <see cref="Value"/>
/// are RocksDB's bytes and hold until the next move. Keeps files from being deleted: not for long walks with breaks.
/// </summary>
public ref struct KeyValueScan
{
    private readonly string _path;
    private readonly bool _backwards;
    private readonly Iterator _iterator;
    private bool _begun;

    internal KeyValueScan(string path, Iterator iterator, bool backwards)
    {
        _path = path;
        _iterator = iterator;
        _backwards = backwards;
    }

    public readonly ReadOnlySpan<byte> Key => _iterator.GetKeySpan();

    public readonly ReadOnlySpan<byte> Value => _iterator.GetValueSpan();

    /// <summary>The position itself, so that foreach has Key and Value.</summary>
    public readonly KeyValueEntry Current => new(_iterator.GetKeySpan(), _iterator.GetValueSpan());

    public readonly KeyValueScan GetEnumerator() => this;

    /// <exception cref="KeyValueStoreException">A file could not be read, or is damaged.</exception>
    public bool MoveNext()
    {
        if (_begun)
        {
            _ = _backwards ? _iterator.Prev() : _iterator.Next();
        }
        else
        {
            _begun = true;
            _ = _backwards ? _iterator.SeekToLast() : _iterator.SeekToFirst();
        }
        if (_iterator.Valid())
        {
            return true;
        }
        try
        {
            _iterator.ThrowIfFailed();
            return false;
        }
        catch (RocksDbException error)
        {
            throw KeyValueStoreException.From(_path, "read", error);
        }
    }

    public readonly void Dispose() => _iterator.Dispose();
}
