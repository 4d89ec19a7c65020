using System.Globalization;
using GrayMQ.Store.Files;
using GrayMQ.Store.Indexes;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Store.Recovering;

/// <summary>
/// Finds the index files on disk and cuts off what is not sure. An index can be done without, so a file that makes no
/// sense is put away, and messages are found by other means.
/// </summary>
internal sealed class IndexLoader(
    StoreOptions options, IStoreFileSystem fileSystem, KeyIndex index, Quarantine quarantine, ILogger logger)
{
    /// <summary>
    /// Loads the files. Entries of messages at or behind <paramref name="limit"/> are cut off; if <paramref name="known"/> is
    /// given, it tells which entries are certain, and later ones are not believed.
    /// </summary>
    public void Load(long limit, IndexPosition? known)
    {
        foreach (string name in fileSystem.ListFiles(options.IndexPath))
        {
            string path = Path.Combine(options.IndexPath, name);
            if (!KeyIndex.IsName(name))
            {
                quarantine.Take(path, "its name is not a time of 17 digits");
                continue;
            }

            if (known is { } position && long.Parse(name, CultureInfo.InvariantCulture) > position.FileName)
            {
                // Begun after the check point: the log fills it in again.
                fileSystem.Delete(path);
                continue;
            }

            try
            {
                index.Add(index.Map(path));
            }
            catch (IOException e)
            {
                quarantine.Take(path, e.Message);
            }
        }

        if (index.Last is { } last)
        {
            CutLast(last, limit, known);
        }
    }

    /// <summary>Cuts off entries of messages at or behind <paramref name="limit"/>.</summary>
    public void CutBeyond(long limit)
    {
        while (index.Last is { Count: > 1 } last && last.EndOffset >= limit)
        {
            int count = FirstBeyond(last, limit);
            if (count > 1)
            {
                Cut(last, count);
                return;
            }

            index.RemoveLast();
            fileSystem.Delete(last.Path);
        }
    }

    private void CutLast(IndexFile last, long limit, IndexPosition? known)
    {
        int count = known is { } position
                && position.FileName == long.Parse(last.Name, CultureInfo.InvariantCulture)
                && position.Count >= 1 && position.Count <= options.MaxIndexEntries
            ? position.Count
            : FirstBeyond(last, limit);
        bool endsWell = count <= 1 || (count == last.Count && last.EntryAt(count - 1).PhysicalOffset == last.EndOffset);
        if (count != last.Count || !endsWell)
        {
            Cut(last, count);
        }
    }

    private void Cut(IndexFile file, int count)
    {
        Log.IndexCut(logger, file.Path, file.Count, count);
        if (!file.TryCut(count))
        {
            index.RemoveLast();
            quarantine.Take(file.Path, "its chains are broken");
        }
    }

    // The first entry that is not that of a message below the limit: entries point upwards, what was not written is 0.
    private static int FirstBeyond(IndexFile file, long limit)
    {
        int low = 1;
        int high = file.Count;
        while (low < high)
        {
            int middle = low + ((high - low) / 2);
            IndexEntry entry = file.EntryAt(middle);
            bool written = entry != default && entry.PhysicalOffset >= 0 && entry.Previous < middle && entry.Previous >= 0;
            if (written && entry.PhysicalOffset < limit)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}
