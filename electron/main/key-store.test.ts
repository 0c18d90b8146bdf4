import { expect, test, vi } from 'vitest'
import { answerSecret } from './key-store.ts'
import type { SafeStorage } from './key-store.ts'

const store = (changes: Partial<SafeStorage> = {}): SafeStorage => ({
  isEncryptionAvailable: () => true,
  getSelectedStorageBackend: () => 'gnome_libsecret',
  encryptString: (text) => Buffer.from(`sealed ${text}`),
  decryptString: (sealed) => sealed.toString().replace('sealed ', ''),
  ...changes,
})

test('a secret is sealed, and opened again', () => {
  const sealed = answerSecret(store(), 'seal', 'hush')
  expect(sealed).not.toContain('hush')
  expect(answerSecret(store(), 'open', sealed ?? '')).toBe('hush')
})

test('without a key store nothing is sealed, nor with a password that everybody knows', () => {
  expect(answerSecret(store({ isEncryptionAvailable: () => false }), 'seal', 'hush')).toBeNull()
  const linux = vi.spyOn(process, 'platform', 'get').mockReturnValue('linux')
  const basic = store({ getSelectedStorageBackend: () => 'basic_text' })
  expect(answerSecret(basic, 'seal', 'hush')).toBeNull()
  linux.mockRestore()
})

test('what the key store does not know, or has locked, is not opened', () => {
  const decryptString = (): string => {
    throw new Error('locked')
  }
  expect(answerSecret(store({ decryptString }), 'open', 'AAAA')).toBeNull()
})
