using System.Reflection;
using System.Runtime.InteropServices;

namespace GrayMQ.Protocol.Compression;

/// <summary>
/// Finds the system's libraries for LZ4 and Zstandard, which are looked for when the first body comes that needs them: nobody else has to
/// have them.
/// </summary>
internal static class CompressionLibrary
{
    public const string Lz4 = "lz4";
    public const string Zstd = "zstd";

    static CompressionLibrary() => NativeLibrary.SetDllImportResolver(typeof(CompressionLibrary).Assembly, Resolve);

    /// <summary>Has the libraries found; to be called before the first of their functions.</summary>
    /// <exception cref="InvalidDataException">There is no such library on this system.</exception>
    public static void Require(string name, string algorithm)
    {
        if (Resolve(name, typeof(CompressionLibrary).Assembly, null) == 0)
        {
            throw new InvalidDataException(
                $"The body is compressed with {algorithm}, and there is no lib{name} on this system to read it with: "
                + $"install it (Debian and Ubuntu: {(name == Lz4 ? "liblz4-1" : "libzstd1")}).");
        }
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name is not (Lz4 or Zstd))
        {
            return 0;
        }

        foreach (string file in (string[])[$"lib{name}.so.1", $"lib{name}.1.dylib", $"lib{name}.dll", name])
        {
            if (NativeLibrary.TryLoad(file, assembly, path, out nint library))
            {
                return library;
            }
        }

        return 0;
    }
}
