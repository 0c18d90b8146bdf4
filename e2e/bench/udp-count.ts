// Counts what processes send and get over UDP, outside of them: the kernel's packet filter keeps a count for each port
// of this computer. So all is in it, headers, acknowledgements, repeats and datagrams, whatever library sends them.
import { execFile } from 'node:child_process'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { promisify } from 'node:util'
import * as z from 'zod'
import { MissingPart } from './report.ts'

const run = promisify(execFile)
const TABLE = `dharma_bench_${process.pid}`
/** What leaves over loopback also arrives, and is counted there: once by its sender's port, once by its receiver's. */
const RULES = `table inet ${TABLE} {
  set sent { type inet_service; flags dynamic; size 65535; counter; }
  set got { type inet_service; flags dynamic; size 65535; counter; }
  chain leaving { type filter hook output priority 0
    meta l4proto udp update @sent { udp sport }
    meta l4proto udp update @got { udp dport }
  }
}
`
const NO_COUNTER = 'only root on Linux, with nft, can count what a process sends'

const countSchema = z.object({ packets: z.number(), bytes: z.number() })
const setSchema = z.object({
  nftables: z.array(
    z.object({
      set: z
        .object({
          elem: z
            .array(z.object({ elem: z.object({ val: z.number(), counter: countSchema }) }))
            .default([]),
        })
        .optional(),
    }),
  ),
})

/** Both ways, the headers of IP and UDP included. */
export interface UdpTotal {
  bytes: number
  packets: number
}

export class UdpCount {
  /** @throws MissingPart where the kernel does not count, or not for us */
  static async open(): Promise<UdpCount> {
    const started = execFile('nft', ['-f', '-'])
    const ended = new Promise<number | null>((resolve) => {
      started.once('error', () => resolve(null))
      started.once('close', resolve)
    })
    started.stdin?.on('error', () => undefined)
    started.stdin?.end(RULES)
    if ((await ended) !== 0) throw new MissingPart(NO_COUNTER)
    return new UdpCount()
  }

  /** What each process has sent and got by now, over the ports that it has now. */
  async totals(pids: readonly number[]): Promise<UdpTotal[]> {
    const counts = [await readSet('sent'), await readSet('got')]
    const inodes = await readPorts()
    return Promise.all(
      pids.map(async (pid) => {
        const total = { bytes: 0, packets: 0 }
        for (const port of await portsOf(pid, inodes)) {
          for (const count of counts) {
            total.bytes += count.get(port)?.bytes ?? 0
            total.packets += count.get(port)?.packets ?? 0
          }
        }
        return total
      }),
    )
  }

  async close(): Promise<void> {
    await run('nft', ['delete', 'table', 'inet', TABLE])
  }
}

async function readSet(name: 'sent' | 'got'): Promise<Map<number, UdpTotal>> {
  const { stdout } = await run('nft', ['-j', 'list', 'set', 'inet', TABLE, name], {
    maxBuffer: 64 * 1024 * 1024,
  })
  const elements = setSchema
    .parse(JSON.parse(stdout))
    .nftables.flatMap(({ set }) => set?.elem ?? [])
  return new Map(elements.map(({ elem: { val, counter } }) => [val, counter]))
}

/** The port of each UDP socket of this computer, by its inode. */
async function readPorts(): Promise<Map<string, number>> {
  const ports = new Map<string, number>()
  for (const file of ['/proc/net/udp', '/proc/net/udp6']) {
    const [, ...lines] = (await readFile(file, 'utf8')).trim().split('\n')
    for (const line of lines) {
      const fields = line.trim().split(/\s+/)
      ports.set(fields[9]!, Number.parseInt(fields[1]!.split(':')[1]!, 16))
    }
  }
  return ports
}

async function portsOf(pid: number, inodes: ReadonlyMap<string, number>): Promise<number[]> {
  const folder = `/proc/${pid}/fd`
  const ports: number[] = []
  for (const fd of await readdir(folder)) {
    // It may have been closed since.
    const target = await readlink(`${folder}/${fd}`).catch(() => '')
    const port = inodes.get(/^socket:\[(\d+)\]$/.exec(target)?.[1] ?? '')
    if (port !== undefined) ports.push(port)
  }
  return ports
}
